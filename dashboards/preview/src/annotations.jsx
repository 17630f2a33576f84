// Annotations: in, their queries; out, events, and a graph's child that draws them. Grafana's own are not published.
import { useLayoutEffect } from 'react';
import { FieldType } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { ask } from './flux.js';
import { complete, filler } from './variables.js';

export async function happenings(dashboard, job, chosen, notes) {
  const fill = filler(chosen);
  const found = [];
  for (const { name, enable, iconColor, target } of dashboard.annotations.list.filter((one) => one.enable)) {
    try {
      for (const frame of await ask(complete(fill(target.query), job, job.leastWindow), target.refId)) {
        const times = frame.fields.find((field) => field.type === FieldType.time);
        const texts = frame.fields.find((field) => field.name === 'text');
        if (!times || !texts) notes.push(`annotation "${name}": its answer has no time or no text`);
        else times.values.forEach((time) => found.push({ time, color: iconColor }));
      }
    } catch (error) {
      notes.push(`annotation "${name}": ${error.message}`);
    }
  }
  return found;
}

export function Happenings({ config, events }) {
  const theme = useTheme2();
  useLayoutEffect(() => {
    config.addHook('draw', (plot) => {
      const { ctx: canvas, bbox } = plot;
      canvas.save();
      canvas.setLineDash([4, 4]);
      for (const { time, color } of events) {
        const x = plot.valToPos(time, 'x', true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        canvas.strokeStyle = canvas.fillStyle = theme.visualization.getColorByName(color);
        canvas.beginPath();
        canvas.moveTo(x, bbox.top);
        canvas.lineTo(x, bbox.top + bbox.height);
        canvas.stroke();
        canvas.beginPath();
        canvas.moveTo(x - 5, bbox.top + bbox.height + 6);
        canvas.lineTo(x, bbox.top + bbox.height);
        canvas.lineTo(x + 5, bbox.top + bbox.height + 6);
        canvas.fill();
      }
      canvas.restore();
    });
  }, [config, events]);
  return null;
}
