// Bundles the page into dist/; editors and maps, which no panel of ours needs, are left out.
import esbuild from 'esbuild';
import fs from 'node:fs';

const unneeded = {
  name: 'unneeded',
  setup(build) {
    build.onResolve({ filter: /^(monaco-editor|@monaco-editor\/react|ol)(\/|$)/ }, ({ path }) => ({
      path,
      namespace: 'unneeded',
    }));
    build.onLoad({ filter: /.*/, namespace: 'unneeded' }, () => ({ contents: 'module.exports = {}', loader: 'js' }));
  },
};
fs.rmSync('dist', { recursive: true, force: true });
await esbuild.build({
  entryPoints: { main: 'src/main.jsx' },
  bundle: true,
  format: 'esm',
  outdir: 'dist/assets',
  jsx: 'automatic',
  target: 'es2022',
  mainFields: ['browser', 'module', 'main'],
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  loader: { '.svg': 'dataurl', '.png': 'dataurl', '.woff2': 'empty', '.woff': 'empty', '.ttf': 'empty' },
  logLevel: 'error',
  plugins: [unneeded],
});
fs.writeFileSync(
  'dist/index.html',
  `<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="/assets/main.css">
<script>window.__grafana_public_path__='/public/';</script></head>
<body><div id="root"></div><script type="module" src="/assets/main.js"></script></body></html>
`,
);
