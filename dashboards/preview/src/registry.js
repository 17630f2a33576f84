// What Grafana's core registers at start-up and does not publish: editors, standard field options, the panel plugins.
// The engine (PanelPlugin, registries, defaults, cleaning, processors) is @grafana/data's; axis, stacking and hideFrom options are @grafana/ui's.
import * as D from '@grafana/data';
import { commonOptionsBuilder as C } from '@grafana/ui';
import { get } from 'lodash';
import { defaultOptions as stO } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import { defaultOptions as tbO } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import {
  defaultOptions as tlO,
  defaultFieldConfig as tlF,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
const P = D,
  num = D.numberOverrideProcessor,
  same = D.identityOverrideProcessor,
  bool = D.booleanOverrideProcessor,
  str = D.stringOverrideProcessor;
const STD = [
  ['unit', D.unitOverrideProcessor],
  ['min', num],
  ['max', num],
  ['fieldMinMax', bool],
  ['decimals', num],
  ['displayName', D.displayNameOverrideProcessor],
  ['noValue', str],
  [
    'thresholds',
    D.thresholdsOverrideProcessor,
    {
      mode: 'absolute',
      steps: [
        { value: -Infinity, color: 'green' },
        { value: 80, color: 'red' },
      ],
    },
  ],
  ['mappings', D.valueMappingsOverrideProcessor, []],
  ['links', D.dataLinksOverrideProcessor],
  ['actions', same],
  ['color', same, { mode: 'thresholds' }],
  ['filterable', bool],
];
export function register() {
  const none = () => null,
    eds =
      'text number slider radio select multi-select multi-select-stats unit boolean strings timezone color fieldColor stats-picker field-name dashboard-uid'.split(
        ' ',
      );
  D.standardEditorsRegistry.setInit(() => eds.map((id) => ({ id, name: id, editor: none })));
  D.standardFieldConfigEditorRegistry.setInit(() =>
    STD.map(([id, process, defaultValue]) => ({
      id,
      path: id,
      name: id,
      editor: none,
      override: none,
      process,
      shouldApply: () => true,
      defaultValue,
      settings: id === 'displayName' ? { expandTemplateVars: true } : {},
    })),
  );
  const uniq = new Map(Object.values(D.standardTransformers).map((t) => [t.id, t])); // the object names joinByField twice: the registry refuses it
  D.standardTransformersRegistry.setInit(() =>
    [...uniq.values()].map((t) => ({ id: t.id, name: t.name, transformation: async () => t, editor: none })),
  );
}
const plain = (b, o) => {
  for (const [path, v] of Object.entries(o))
    b.addCustomEditor({
      id: path,
      path,
      name: path,
      editor: () => null,
      override: () => null,
      process: same,
      shouldApply: (f) => f.type !== D.FieldType.time,
      defaultValue: v,
    });
  return b;
};
const graph = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: 'none',
  showPoints: 'auto',
  pointSize: 5,
  spanNulls: false,
  insertNulls: false,
  lineStyle: undefined,
  barAlignment: 0,
  barWidthFactor: 0.6,
  barMaxWidth: undefined,
  fillBelowTo: undefined,
  lineColor: undefined,
  fillColor: undefined,
  pointColor: undefined,
  transform: undefined,
  thresholdsStyle: { mode: 'off' },
  showValues: false,
};
const cells = {
  hidden: undefined,
  width: undefined,
  minWidth: undefined,
  align: 'auto',
  cellOptions: { type: 'auto' },
  inspect: false,
  filterable: undefined,
  wrapText: undefined,
  wrapHeaderText: undefined,
  footer: undefined,
  tooltip: undefined,
};
const legend = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
  tip = { mode: 'single', sort: 'none' };
const plugin = (id, options, custom, color) =>
  Object.assign(new P.PanelPlugin(() => null), { meta: { id }, opts: options })
    .setPanelOptions((b) => {
      for (const [path, v] of Object.entries(options))
        b.addCustomEditor({ id: path, path, name: path, editor: () => null, defaultValue: v });
    })
    .useFieldConfig({
      useCustomConfig: custom,
      standardOptions: color ? { color: { defaultValue: { mode: color } } } : {},
    });
const make = {
  timeseries: () =>
    plugin(
      'timeseries',
      { legend, tooltip: tip, timezone: undefined, orientation: undefined, annotations: undefined },
      (b) => {
        plain(b, graph);
        C.addStackingConfig(b, { mode: 'none', group: 'A' });
        C.addAxisConfig(b, {});
        C.addHideFrom(b);
      },
      'palette-classic',
    ),
  'state-timeline': () =>
    plugin(
      'state-timeline',
      { ...tlO, legend, tooltip: tip, timezone: undefined, annotations: undefined },
      (b) => {
        plain(b, { ...tlF, spanNulls: false, insertNulls: false });
        C.addHideFrom(b);
        C.addAxisPlacement(b);
        C.addAxisWidth(b);
      },
      'continuous-GrYlRd',
    ),
  stat: () =>
    plugin(
      'stat',
      { ...stO, reduceOptions: { calcs: ['lastNotNull'], values: false, fields: '' }, orientation: 'auto', text: {} },
      undefined,
    ),
  table: () =>
    plugin(
      'table',
      {
        ...tbO,
        sortBy: undefined,
        enablePagination: undefined,
        maxRowHeight: undefined,
        footer: undefined,
        frozenColumns: undefined,
        disableKeyboardEvents: undefined,
      },
      (b) => {
        plain(b, cells);
        C.addHideFrom(b);
      },
    ),
  text: () => plugin('text', { mode: 'markdown', content: '', code: undefined }, undefined),
};
const cache = {};
export const pluginFor = (type) => make[type] && (cache[type] ??= make[type]());

// What Grafana would swallow in silence, asked of Grafana's own registries.
export function complain(p, say) {
  const pl = pluginFor(p.type),
    fc = p.fieldConfig ?? {};
  if (!pl) return say(`panel type "${p.type}" unknown`);
  const reg = pl.fieldConfigRegistry,
    units = new Set(D.getValueFormats().flatMap((c) => c.submenu.map((u) => u.value)));
  const color = (c) =>
    ['fixed', 'shades'].includes(c?.mode) ||
    !c?.mode ||
    D.fieldColorModeRegistry.getIfExists(c.mode) ||
    say(`unknown colour mode "${c.mode}"`);
  const unit = (u) =>
    !u ||
    units.has(u) ||
    /^(prefix|suffix|time|si|count|currency|bool):/.test(u) ||
    say(`unknown unit "${u}": Grafana would print it after the number`);
  const walk = (o, path, has) => {
    for (const [k, v] of Object.entries(o ?? {})) {
      const q = path + k;
      if (has(q)) continue;
      if (
        v &&
        typeof v === 'object' &&
        !Array.isArray(v) &&
        Object.keys(v).some((c) => has(`${q}.${c}`) || k === 'custom')
      )
        walk(v, `${q}.`, has);
      else say(`unknown field option "${q}": dropped`);
    }
  };
  unit(fc.defaults?.unit);
  color(fc.defaults?.color);
  walk(fc.defaults, '', (q) => reg.getIfExists(q));
  for (const o of fc.overrides ?? []) {
    if (!D.fieldMatchers.getIfExists(o.matcher.id)) say(`unknown matcher "${o.matcher.id}"`);
    for (const q of o.properties) {
      if (!reg.getIfExists(q.id)) say(`unknown override "${q.id}": dropped`);
      if (q.id === 'unit') unit(q.value);
      if (q.id === 'color') color(q.value);
    }
  }
  for (const t of p.transformations ?? [])
    if (!D.standardTransformersRegistry.getIfExists(t.id)) say(`transformation "${t.id}" not in @grafana/data`);
  for (const c of [...(p.options?.reduceOptions?.calcs ?? []), ...(p.options?.legend?.calcs ?? [])])
    if (!D.fieldReducers.getIfExists(c)) say(`unknown calc "${c}"`);
  for (const k of Object.keys(p.options ?? {})) if (!(k in pl.opts)) say(`unknown panel option "${k}"`);
}
// An override that matches no field of the data is legal JSON and does nothing.
export function deadOverrides(fc, frames, say) {
  for (const o of fc.overrides) {
    const m = D.fieldMatchers.getIfExists(o.matcher.id)?.get(o.matcher.options);
    if (m && !frames.some((fr) => fr.fields.some((f) => m(f, fr, frames))))
      say(`override ${o.matcher.id} ${JSON.stringify(o.matcher.options)} matches no field`);
  }
}
