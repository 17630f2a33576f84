// One panel: in, its JSON and the answers to its queries; out, what Grafana's component for its type draws.
import { useEffect, useMemo } from 'react';
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  FieldType,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  getPanelOptionsWithDefaults,
  rangeUtil,
  transformDataFrame,
} from '@grafana/data';
import { BigValue, TimeSeries, useTheme2, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { cloneDeep } from 'lodash';
import { lastValueFrom } from 'rxjs';
import { Happenings } from './annotations.jsx';
import { ask } from './flux.js';
import { deadOverrides } from './complaints.js';
import { pluginFor } from './plugins.js';
import { StateTimeline } from './timeline.jsx';
import { complete } from './variables.js';

export async function fetched(panel, job, range, width, fill) {
  if (!pluginFor(panel.type)) throw new Error(`no panel of type ${panel.type} is published`);
  const { interval } = rangeUtil.calculateInterval(range, Math.floor(width), panel.interval);
  const answers = panel.targets.map((target) => ask(complete(fill(target.query), job, interval), target.refId));
  const frames = (await Promise.all(answers)).flat();
  if (!panel.transformations?.length) return frames;
  return lastValueFrom(transformDataFrame(panel.transformations, frames, { interpolate: fill }));
}

export function Picture({ panel, raw, width, height, job, range, fill, events, note }) {
  const theme = useTheme2();
  const empty = !raw.some((frame) => frame.length);
  useEffect(() => {
    if (empty && !job.mayBeEmpty) note('no data');
  }, []);
  const { options, frames, fieldConfig } = useMemo(
    () => configured(panel, raw, fill, theme, job.mayBeEmpty ? () => {} : note),
    [panel, raw],
  );
  const common = { width, height, options, frames, timeRange: range, timeZone: 'utc' };
  if (empty && panel.type !== 'stat')
    return <Centred {...{ width, height }} text={panel.fieldConfig.defaults.noValue || 'No data'} />;
  if (panel.type === 'timeseries') return <Curves {...common} events={events} />;
  if (panel.type === 'state-timeline') return <StateTimeline {...common} theme={theme} />;
  if (panel.type === 'table') return <Table {...common} fieldConfig={fieldConfig} />;
  return <Values {...common} {...{ fieldConfig, fill, raw }} />;
}

function configured(panel, raw, fill, theme, note) {
  const plugin = pluginFor(panel.type);
  const { options, fieldConfig } = getPanelOptionsWithDefaults({
    plugin,
    currentOptions: panel.options,
    currentFieldConfig: cloneDeep(panel.fieldConfig),
    isAfterPluginChange: false,
  });
  const apply = (config) =>
    applyFieldOverrides({
      data: raw,
      fieldConfig: config,
      fieldConfigRegistry: plugin.fieldConfigRegistry,
      replaceVariables: fill,
      theme,
      timeZone: 'utc',
    });
  const frames = apply(fieldConfig);
  cacheFieldDisplayNames(frames);
  if (raw.some((frame) => frame.length)) deadOverrides(fieldConfig, apply({ ...fieldConfig, overrides: [] }), note);
  return { options, fieldConfig, frames };
}

function Centred({ width, height, text }) {
  const theme = useTheme2();
  return (
    <div style={{ width, height, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>
      {text}
    </div>
  );
}

function Curves({ frames, options, events, ...rest }) {
  const has = (frame, type) => frame.fields.some((field) => field.type === type);
  const drawn = frames.filter((frame) => has(frame, FieldType.time) && has(frame, FieldType.number));
  return (
    <TimeSeries frames={drawn} structureRev={1} legend={options.legend} options={options} {...rest}>
      {(config) => <Happenings config={config} events={events} />}
    </TimeSeries>
  );
}

function Table({ frames, options, fieldConfig, width, height, timeRange }) {
  return (
    <TableNG
      data={frames[0]}
      noHeader={!options.showHeader}
      sortBy={options.sortBy}
      cellHeight={options.cellHeight}
      structureRev={1}
      getActions={() => []}
      {...{ width, height, fieldConfig, timeRange }}
    />
  );
}

function Values({ frames, options, fieldConfig, fill, raw, width, height, timeRange, timeZone }) {
  const theme = useTheme2();
  const { reduceOptions, colorMode, graphMode, justifyMode, textMode, text, wideLayout, orientation } = options;
  const sparkline = graphMode !== 'none';
  const values = () =>
    getFieldDisplayValues({
      fieldConfig,
      reduceOptions,
      replaceVariables: fill,
      theme,
      data: frames,
      sparkline,
      timeZone,
    });
  const one = ({ value, alignmentFactors, width, height, count }) => {
    if (value.sparkline) value.sparkline.timeRange = timeRange;
    const shown = {
      colorMode,
      graphMode,
      justifyMode,
      textMode,
      text,
      wideLayout,
      alignmentFactors,
      width,
      height,
      count,
    };
    return <BigValue value={value.display} sparkline={value.sparkline} theme={theme} disableSanitizeHtml {...shown} />;
  };
  return (
    <VizRepeater
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={one}
      source={raw}
      autoGrid
      renderCounter={1}
      itemSpacing={3}
      {...{ width, height, orientation }}
    />
  );
}
