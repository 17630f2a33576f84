// State timeline: Grafana's own TimelineChart is not published, so this is ours, on Grafana's UPlotConfigBuilder.
import { useMemo } from 'react';
import { UPlotChart, UPlotConfigBuilder, VizLayout, VizLegend } from '@grafana/ui';
import {
  FieldType,
  FieldColorModeId,
  formattedValueToString,
  getFieldDisplayName,
  getFieldSeriesColor,
} from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleOrientation } from '@grafana/schema';
function timelineRows(frames) {
  return frames.flatMap((fr) => {
    const t = fr.fields.find((f) => f.type === FieldType.time);
    return t
      ? fr.fields
          .filter((f) => f !== t && !f.config.custom?.hideFrom?.viz)
          .map((f) => ({ name: getFieldDisplayName(f, fr, frames), f, t: t.values }))
      : [];
  });
}
export function StateTimeline({ frames, width, height, timeRange: range, timeZone, theme, options }) {
  const rows = useMemo(() => timelineRows(frames), [frames]);
  const colorOf = (f, v) =>
    f.config.color?.mode === FieldColorModeId.PaletteClassic && !f.display(v).color
      ? getFieldSeriesColor(f, theme).color
      : f.display(v).color;
  const segs = rows.map(({ f, t }) => {
    const out = [];
    t.forEach((x, i) => {
      const v = f.values[i];
      const last = out.at(-1)?.to === range.to.valueOf() ? out.at(-1) : undefined; // one that still goes on
      if (v == null) {
        if (last) last.to = x;
        return;
      }
      const d = f.display(v),
        thr = f.config.color?.mode === FieldColorModeId.Thresholds && !f.config.mappings?.length;
      if (options.mergeValues && last && (last.v === v || (thr && last.color === colorOf(f, v)))) return;
      if (last) last.to = x;
      out.push({ from: x, to: range.to.valueOf(), v, text: formattedValueToString(d), color: colorOf(f, v) });
    });
    return out;
  });
  const legend = useMemo(() => {
    const seen = new Map(),
      f0 = rows[0]?.f,
      thr = f0?.config.thresholds?.steps;
    if (f0?.config.color?.mode === FieldColorModeId.Thresholds && thr?.length > 1 && !f0.config.mappings?.length)
      thr.forEach((s, i) => {
        const d = (x) => formattedValueToString(f0.display(x));
        seen.set(i === 0 ? `< ${d(thr[1].value)}` : `${d(s.value)}+`, theme.visualization.getColorByName(s.color));
      });
    else segs.flat().forEach((s) => seen.set(s.text, s.color));
    return [...seen].map(([label, color]) => ({ label, color, yAxis: 1 }));
  }, [segs]);
  const { config, data } = useMemo(() => {
    const b = new UPlotConfigBuilder(timeZone),
      n = rows.length;
    b.addScale({
      scaleKey: 'x',
      isTime: true,
      orientation: ScaleOrientation.Horizontal,
      direction: ScaleDirection.Right,
      range: () => [range.from.valueOf(), range.to.valueOf()],
    });
    b.addScale({
      scaleKey: 'y',
      orientation: ScaleOrientation.Vertical,
      direction: ScaleDirection.Up,
      range: () => [0, n],
    });
    b.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone, theme, grid: { show: true } });
    b.addAxis({
      scaleKey: 'y',
      placement: AxisPlacement.Left,
      theme,
      grid: { show: false },
      ticks: { show: false },
      gap: 15,
      splits: () => rows.map((_, i) => n - i - 0.5),
      values: () => rows.map((r) => r.name),
    });
    rows.forEach(() =>
      b.addSeries({
        scaleKey: 'y',
        theme,
        show: true,
        pathBuilder: () => null,
        pointsBuilder: () => null,
        lineColor: 'transparent',
        lineWidth: 0,
      }),
    );
    b.addHook('draw', (u) => {
      const c = u.ctx,
        pr = window.devicePixelRatio || 1;
      c.save();
      c.beginPath();
      c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      c.clip();
      const rh = u.bbox.height / n,
        h = rh * options.rowHeight;
      c.font = `${Math.round(12 * pr)}px ${theme.typography.fontFamily}`;
      c.textBaseline = 'middle';
      c.textAlign = 'left';
      segs.forEach((ss, i) =>
        ss.forEach((s) => {
          const x0 = Math.max(u.bbox.left, u.valToPos(s.from, 'x', true)),
            x1 = u.valToPos(s.to, 'x', true),
            y = u.bbox.top + i * rh + (rh - h) / 2,
            cu = rows[i].f.config.custom ?? {};
          c.globalAlpha = (cu.fillOpacity ?? 70) / 100;
          c.fillStyle = s.color;
          c.fillRect(x0, y, x1 - x0, h);
          c.globalAlpha = 1;
          if (cu.lineWidth > 0) {
            c.strokeStyle = s.color;
            c.lineWidth = cu.lineWidth * pr;
            c.strokeRect(x0, y, x1 - x0, h);
          }
          const tw = c.measureText(s.text).width,
            w = x1 - x0,
            al = options.alignValue;
          if (options.showValue !== 'never' && (options.showValue === 'always' || tw + 8 * pr < w)) {
            c.fillStyle = theme.colors.getContrastText(s.color, 3);
            c.fillText(
              s.text,
              al === 'center' ? x0 + (w - tw) / 2 : al === 'right' ? x1 - tw - 4 * pr : x0 + 4 * pr,
              y + h / 2,
            );
          }
        }),
      );
      c.restore();
    });
    const xs = [...new Set(rows.flatMap((r) => r.t))].sort((a, z) => a - z);
    b.setPrepData((fr) => [xs, ...rows.map(() => xs.map(() => 0.5))]);
    return { config: b, data: [xs, ...rows.map(() => xs.map(() => 0.5))] };
  }, [rows, theme]);
  const lg = options.legend ?? { showLegend: true, displayMode: 'list', placement: 'bottom' };
  return (
    <VizLayout
      width={width}
      height={height}
      legend={
        lg.showLegend ? (
          <VizLayout.Legend placement={lg.placement}>
            <VizLegend placement={lg.placement} items={legend} displayMode={lg.displayMode} readonly />
          </VizLayout.Legend>
        ) : null
      }
    >
      {(w, h) => <UPlotChart config={config} data={data} width={w} height={h} timeRange={range} />}
    </VizLayout>
  );
}
