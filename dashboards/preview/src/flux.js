// InfluxDB's annotated CSV -> Grafana's data frames, by the rules of Grafana's own back end: a table with _value and a
// time is a series (its labels are the text columns whose names do not begin with _); any other is a frame of columns.
import { createDataFrame, FieldType } from '@grafana/data';

const READ = {
  'dateTime:RFC3339': Date.parse,
  'dateTime:RFC3339Nano': Date.parse,
  double: Number,
  long: Number,
  unsignedLong: Number,
  duration: Number,
  boolean: (text) => text === 'true',
};
const HIDDEN = new Set(['', 'result', 'table']);

export async function ask(query, refId) {
  const answer = await fetch('/flux', { method: 'POST', body: query });
  const text = await answer.text();
  if (!answer.ok) throw new Error(JSON.parse(text).message ?? text);
  return frames(text, refId);
}

function typeOf(name) {
  if (name?.startsWith('dateTime')) return FieldType.time;
  return { string: FieldType.string, boolean: FieldType.boolean }[name] ?? FieldType.number;
}

function frames(text, refId) {
  const found = new Map();
  let types,
    defaults,
    names,
    block = 0;
  for (const row of rows(text)) {
    if (row.length < 2) names = undefined;
    else if (row[0] === '#datatype') [types, names, block] = [row, undefined, block + 1];
    else if (row[0] === '#default') defaults = row;
    else if (row[0].startsWith('#')) continue;
    else if (!names) names = row;
    else if (names[1] === 'error') throw new Error(row[1]);
    else {
      const columns = names.map((name, i) => ({ name, type: types[i], text: row[i] || defaults?.[i] || '' }));
      const id = `${block}/${columns.find((column) => column.name === 'table').text}`;
      if (!found.has(id)) found.set(id, begin(columns, refId));
      take(found.get(id), columns);
    }
  }
  return [...found.values()].map((frame) => createDataFrame(frame));
}

function begin(columns, refId) {
  const shown = columns.filter(({ name }) => !HIDDEN.has(name));
  const time = shown.find(({ type }) => type.startsWith('dateTime'));
  const value = shown.find(({ name }) => name === '_value');
  if (!time || !value) {
    return { refId, fields: shown.map(({ name, type }) => ({ name, type: typeOf(type), config: {}, values: [] })) };
  }
  const labels = shown.filter(({ name, type }) => name[0] !== '_' && type === 'string').map((c) => [c.name, c.text]);
  const name = shown.find((column) => column.name === '_field')?.text ?? '_value';
  return {
    refId,
    series: [time.name, '_value'],
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: [] },
      { name, type: typeOf(value.type), config: {}, labels: Object.fromEntries(labels), values: [] },
    ],
  };
}

function take(frame, columns) {
  const by = Object.fromEntries(columns.map((column) => [column.name, column]));
  frame.fields.forEach((field, i) => {
    const { type, text } = by[frame.series?.[i] ?? field.name];
    field.values.push(text === '' && type !== 'string' ? null : (READ[type] ?? String)(text));
  });
}

function* rows(text) {
  let row = [],
    cell = '',
    quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[++i];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',') [row, cell] = [[...row, cell], ''];
    else if (c === '\n') {
      yield [...row, cell.replace(/\r$/, '')];
      [row, cell] = [[], ''];
    } else cell += c;
  }
}
