// The dashboard's variables: in, their queries and what the caller wants; out, a function that fills texts in.
import { dateTimeFormatISO, getFieldDisplayName } from '@grafana/data';
import { get } from 'lodash';
import { ask } from './flux.js';

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const FORMATS = {
  regex: (values) => (values.length > 1 ? `(${values.map(escaped).join('|')})` : escaped(values[0] ?? '')),
  percentencode: (values) => encodeURIComponent(values.join(',')),
};

// Every variable's values: those asked for by the job, else all where several may be chosen, else the first.
export async function choose(dashboard, job, notes) {
  const chosen = {};
  for (const variable of dashboard.templating.list) {
    if (variable.type !== 'query') chosen[variable.name] = { values: [variable.current.value] };
    else if (job.variables?.[variable.name]) chosen[variable.name] = { values: [job.variables[variable.name]] };
    else if (variable.includeAll) chosen[variable.name] = { values: [variable.allValue], all: true };
    else {
      const frames = await ask(complete(variable.query.query, job, job.leastWindow), 'variable');
      const values = frames.flatMap((frame) => frame.fields[0]?.values ?? []).sort();
      if (!values.length) notes.push(`variable ${variable.name}: its query finds no value`);
      chosen[variable.name] = { values: values.slice(0, 1) };
    }
  }
  return chosen;
}

// What Grafana's back end puts into Flux.
export function complete(text, job, window) {
  return text
    .replaceAll('v.timeRangeStart', dateTimeFormatISO(job.from, { timeZone: 'utc' }))
    .replaceAll('v.timeRangeStop', dateTimeFormatISO(job.to, { timeZone: 'utc' }))
    .replaceAll('v.windowPeriod', window);
}

// Grafana's templating is not published: ours knows ${name}, ${name:format}, and what belongs to a field.
export const filler = (chosen) => (text, scoped) =>
  (text ?? '').replace(/\$\{([\w.]+)(?::(\w+))?\}/g, (whole, name, format) => {
    const seen = scoped?.__dataContext?.value;
    if (name.startsWith('__field') && seen) return aboutField(name, seen) ?? '';
    if (!(name in chosen)) return whole;
    const { values, all } = chosen[name];
    return all ? values[0] : (FORMATS[format] ?? ((v) => v.join(',')))(values);
  });

function aboutField(name, { field, frame, data }) {
  if (name === '__field.displayName') return getFieldDisplayName(field, frame, data);
  return get(field, name.slice('__field.'.length));
}
