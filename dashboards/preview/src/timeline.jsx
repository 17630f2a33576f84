// State timeline: Grafana's own is not published, so this is ours on Grafana's chart; it draws no legend.
import { useMemo } from 'react';
import { UPlotChart, UPlotConfigBuilder } from '@grafana/ui';
import { FieldColorModeId, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleOrientation } from '@grafana/schema';

const nothing = () => null;

export function StateTimeline({ frames, width, height, timeRange, timeZone, theme, options }) {
  const { config, data } = useMemo(() => {
    const rows = rowsOf(frames);
    const config = new UPlotConfigBuilder(timeZone);
    addScales(config, rows, timeRange);
    addAxes(config, rows, timeZone, theme);
    for (const _ of rows) config.addSeries({ scaleKey: 'y', theme, pathBuilder: nothing, pointsBuilder: nothing });
    const spans = rows.map((row) => spansOf(row, timeRange.to.valueOf(), options.mergeValues));
    config.addHook('draw', (plot) => draw(plot, rows, spans, theme, options));
    const times = [...new Set(rows.flatMap((row) => row.times))].sort((one, other) => one - other);
    const data = [times, ...rows.map(() => times.map(() => 0.5))];
    config.setPrepData(() => data);
    return { config, data };
  }, [frames, theme]);
  return <UPlotChart config={config} data={data} width={width} height={height} timeRange={timeRange} />;
}

function rowsOf(frames) {
  return frames.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    const others = time ? frame.fields.filter((field) => field !== time) : [];
    return others.map((field) => ({ name: getFieldDisplayName(field, frame, frames), field, times: time.values }));
  });
}

// Each value goes on until the next; equal ones are one span, as are those of one colour where thresholds give it.
function spansOf({ field, times }, end, merge) {
  const byColor = field.config.color?.mode === FieldColorModeId.Thresholds && !field.config.mappings?.length;
  const spans = [];
  let open;
  times.forEach((time, i) => {
    const value = field.values[i];
    const shown = field.display(value);
    const same = open && merge && (open.value === value || (byColor && open.color === shown.color));
    if (same && value != null) return;
    if (open) open.to = time;
    open =
      value == null
        ? undefined
        : { from: time, to: end, value, color: shown.color, text: formattedValueToString(shown) };
    if (open) spans.push(open);
  });
  return spans;
}

function addScales(config, rows, { from, to }) {
  const [orientation, direction] = [ScaleOrientation.Horizontal, ScaleDirection.Right];
  config.addScale({ scaleKey: 'x', isTime: true, orientation, direction, range: () => [from.valueOf(), to.valueOf()] });
  const upwards = { orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up };
  config.addScale({ scaleKey: 'y', ...upwards, range: () => [0, rows.length] });
}

function addAxes(config, rows, timeZone, theme) {
  config.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone, theme });
  config.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    grid: { show: false },
    ticks: { show: false },
    gap: 15,
    splits: () => rows.map((_, i) => rows.length - i - 0.5),
    values: () => rows.map((row) => row.name),
  });
}

function draw(plot, rows, spans, theme, options) {
  const { ctx: canvas, bbox } = plot;
  const dots = window.devicePixelRatio || 1;
  const rowHeight = bbox.height / rows.length;
  const height = rowHeight * options.rowHeight;
  canvas.save();
  canvas.beginPath();
  canvas.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  canvas.clip();
  canvas.font = `${Math.round(12 * dots)}px ${theme.typography.fontFamily}`;
  [canvas.textBaseline, canvas.textAlign] = ['middle', 'left'];
  rows.forEach(({ field }, i) => {
    const top = bbox.top + i * rowHeight + (rowHeight - height) / 2;
    for (const { from, to, color, text } of spans[i]) {
      const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
      const width = plot.valToPos(to, 'x', true) - left;
      canvas.globalAlpha = field.config.custom.fillOpacity / 100;
      canvas.fillStyle = color;
      canvas.fillRect(left, top, width, height);
      canvas.globalAlpha = 1;
      if (canvas.measureText(text).width + 8 * dots > width) continue;
      canvas.fillStyle = theme.colors.getContrastText(color, 3);
      canvas.fillText(text, left + 4 * dots, top + height / 2);
    }
  });
  canvas.restore();
}
