// node check.mjs DASHBOARD.json...: writes each panel as a TypeScript constant of the type that Grafana publishes for
// it, and has TypeScript say which options and words do not exist.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const SCHEMA = '@grafana/schema/dist/esm/raw';
const PANELS = {
  timeseries: ['timeseries/panelcfg/x/TimeSeriesPanelCfg', true],
  'state-timeline': ['statetimeline/panelcfg/x/StateTimelinePanelCfg', true],
  stat: ['stat/panelcfg/x/StatPanelCfg', false],
  table: ['table/panelcfg/x/TablePanelCfg', true],
};
// Enum members are nominal in TypeScript, so each enum becomes its words; every option is optional.
const HEAD = [
  `import type * as Board from '${SCHEMA}/dashboard/x/Dashboard_types.gen';`,
  ...Object.values(PANELS).map(
    ([file], i) => `import type * as Panel${i} from '${SCHEMA}/composable/${file}_types.gen';`,
  ),
  'type Loose<T> = T extends string ? `${T}` : T extends (infer U)[] ? Loose<U>[]',
  '  : T extends object ? { [K in keyof T]?: Loose<T[K]> } : T;',
];

const constant = (name, type, value) => `export const ${name}: Loose<${type}> = ${JSON.stringify(value)};`;

function* ofPanel(panel) {
  if (panel.type === 'row') return yield constant(`panel${panel.id}`, 'Board.RowPanel', panel);
  const { options, fieldConfig, targets, ...rest } = panel;
  yield constant(`panel${panel.id}`, 'Board.Panel', rest);
  const number = Object.keys(PANELS).indexOf(panel.type);
  if (number < 0) throw new Error(`panel ${panel.id}: Grafana publishes no types for "${panel.type}"`);
  const own = PANELS[panel.type][1] ? `Panel${number}.FieldConfig` : 'never';
  const { custom, ...defaults } = fieldConfig.defaults;
  yield constant(`panel${panel.id}_defaults`, 'Board.FieldConfig', defaults);
  yield constant(`panel${panel.id}_options`, `Panel${number}.Options`, options);
  if (custom) yield constant(`panel${panel.id}_custom`, own, custom);
  for (const [k, { matcher, properties }] of fieldConfig.overrides.entries()) {
    yield constant(`panel${panel.id}_override${k}`, 'Board.MatcherConfig', matcher);
    for (const [j, { id, value }] of properties.entries()) {
      const [, isOwn, name] = id.match(/^(custom\.)?(.*)/);
      yield constant(`panel${panel.id}_override${k}_${j}`, isOwn ? own : 'Board.FieldConfig', { [name]: value });
    }
  }
}

function* ofBoard({ panels, annotations, ...board }) {
  yield* HEAD;
  yield constant('board', 'Board.Dashboard', board);
  for (const [i, { target, ...annotation }] of annotations.list.entries()) {
    yield constant(`annotation${i}`, 'Board.AnnotationQuery', annotation); // targets are the data source's own
  }
  for (const panel of panels) yield* ofPanel(panel);
}

const OPTIONS = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  types: [],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
};
const sources = process.argv.slice(2).map((file) => {
  const source = path.resolve(`${path.basename(file, '.json')}.ts`);
  fs.writeFileSync(source, [...ofBoard(JSON.parse(fs.readFileSync(file)))].join('\n'));
  return source;
});
const found = ts.getPreEmitDiagnostics(ts.createProgram(sources, OPTIONS));
for (const { file, start, messageText } of found) {
  const line = file?.text.slice(file.text.lastIndexOf('\n', start) + 1, start) ?? '';
  const name = line.match(/const (\w+)/)?.[1] ?? '';
  console.log(
    `${path.basename(file?.fileName ?? '')}: ${name}:`,
    ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 300),
  );
}
process.exit(found.length ? 1 : 0);
