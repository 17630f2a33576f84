// The panel types in use, which Grafana's core does not publish: in, a type; out, its plugin with all its options.
import * as D from '@grafana/data';
import { commonOptionsBuilder } from '@grafana/ui';
import { defaultOptions as statOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import { defaultOptions as tableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import {
  defaultOptions as timelineOptions,
  defaultFieldConfig as timelineFields,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';

const GRAPH_FIELDS = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  lineStyle: undefined,
  lineColor: undefined,
  fillOpacity: 0,
  fillColor: undefined,
  fillBelowTo: undefined,
  gradientMode: 'none',
  showPoints: 'auto',
  pointSize: 5,
  pointColor: undefined,
  spanNulls: false,
  insertNulls: false,
  barAlignment: 0,
  barWidthFactor: 0.6,
  barMaxWidth: undefined,
  transform: undefined,
  thresholdsStyle: { mode: 'off' },
  showValues: false,
};
const CELL_FIELDS = {
  width: undefined,
  minWidth: undefined,
  align: 'auto',
  cellOptions: { type: 'auto' },
  inspect: false,
  hidden: undefined,
  filterable: undefined,
  wrapText: undefined,
  wrapHeaderText: undefined,
  footer: undefined,
  tooltip: undefined,
};
const LEGEND = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] };
const TOOLTIP = { mode: 'single', sort: 'none' };
const TIMED = { legend: LEGEND, tooltip: TOOLTIP, timezone: undefined, annotations: undefined };
const nothing = () => null;

function addFields(builder, fields) {
  for (const [path, defaultValue] of Object.entries(fields)) {
    builder.addCustomEditor({
      id: path,
      path,
      name: path,
      editor: nothing,
      override: nothing,
      process: D.identityOverrideProcessor,
      shouldApply: (field) => field.type !== D.FieldType.time,
      defaultValue,
    });
  }
}

function plugin(id, options, addCustom, colorMode) {
  const made = new D.PanelPlugin(nothing);
  made.meta = { id };
  made.known = options;
  made.setPanelOptions((builder) => {
    for (const [path, defaultValue] of Object.entries(options)) {
      builder.addCustomEditor({ id: path, path, name: path, editor: nothing, defaultValue });
    }
  });
  const standardOptions = colorMode ? { color: { defaultValue: { mode: colorMode } } } : {};
  return made.useFieldConfig({ useCustomConfig: addCustom, standardOptions });
}

const MAKE = {
  timeseries: () =>
    plugin(
      'timeseries',
      { ...TIMED, orientation: undefined },
      (builder) => {
        addFields(builder, GRAPH_FIELDS);
        commonOptionsBuilder.addStackingConfig(builder, { mode: 'none', group: 'A' });
        commonOptionsBuilder.addAxisConfig(builder, {});
        commonOptionsBuilder.addHideFrom(builder);
      },
      'palette-classic',
    ),
  'state-timeline': () =>
    plugin(
      'state-timeline',
      { ...timelineOptions, ...TIMED },
      (builder) => {
        addFields(builder, { ...timelineFields, spanNulls: false, insertNulls: false });
        commonOptionsBuilder.addHideFrom(builder);
        commonOptionsBuilder.addAxisPlacement(builder);
        commonOptionsBuilder.addAxisWidth(builder);
      },
      'continuous-GrYlRd',
    ),
  stat: () =>
    plugin('stat', {
      ...statOptions,
      reduceOptions: { calcs: ['lastNotNull'], values: false, fields: '' },
      orientation: 'auto',
      text: {},
    }),
  table: () =>
    plugin(
      'table',
      {
        ...tableOptions,
        sortBy: undefined,
        enablePagination: undefined,
        maxRowHeight: undefined,
        footer: undefined,
        frozenColumns: undefined,
        disableKeyboardEvents: undefined,
      },
      (builder) => {
        addFields(builder, CELL_FIELDS);
        commonOptionsBuilder.addHideFrom(builder);
      },
    ),
};

const made = {};
export const pluginFor = (type) => MAKE[type] && (made[type] ??= MAKE[type]());
