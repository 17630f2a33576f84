// node render.mjs JOBS.json: draws each job's dashboard into its PNG; fails where there was anything to note.
// The page has no network: whatever it asks for is answered here, its queries by the InfluxDB that JOBS.json names.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const { influx, jobs } = JSON.parse(fs.readFileSync(process.argv[2]));
const token = fs.readFileSync(influx.tokenFile, 'utf8').trim();
const HERE = path.dirname(fileURLToPath(import.meta.url));
const HOST = 'preview.local';
const PATIENCE_MS = 60_000;
const TYPES = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.html': 'text/html',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

async function query(flux) {
  const dialect = { annotations: ['datatype', 'group', 'default'], header: true };
  const headers = { Authorization: `Token ${token}`, 'Content-Type': 'application/json', Accept: 'application/csv' };
  const body = JSON.stringify({ query: flux, type: 'flux', dialect });
  const answer = await fetch(`${influx.url}/api/v2/query?org=${encodeURIComponent(influx.org)}`, {
    method: 'POST',
    headers,
    body,
  });
  return { status: answer.status, body: await answer.text() };
}

function fileOf(url) {
  if (url === '/') return 'dist/index.html';
  if (url.startsWith('/assets/')) return `dist${url}`;
  const font = url.match(/fonts\/inter\/Inter-(Regular|Medium)/);
  if (font) return `node_modules/@fontsource/inter/files/inter-latin-${font[1] === 'Medium' ? 500 : 400}-normal.woff2`;
  return url.replace(/^\/public\/build\/img/, 'node_modules/@grafana/ui/dist/public/img');
}

async function answer(route, job, problems) {
  const url = new URL(route.request().url());
  if (url.host !== HOST) return route.abort();
  if (url.pathname === '/job.json') return route.fulfill({ json: job });
  if (url.pathname === '/flux') return route.fulfill(await query(route.request().postData()));
  const file = path.join(HERE, fileOf(url.pathname));
  if (!fs.existsSync(file)) {
    problems.push(`the page asks for ${url.pathname}, which is not there`);
    return route.fulfill({ status: 404, body: '' });
  }
  return route.fulfill({
    contentType: TYPES[path.extname(file)] ?? 'application/octet-stream',
    body: fs.readFileSync(file),
  });
}

async function draw(context, job) {
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(`error in the page: ${(error.stack || error.message).slice(0, 600)}`));
  page.on('console', (said) => said.type() === 'error' && problems.push(`the page says: ${said.text().slice(0, 300)}`));
  await page.route('**/*', (route) => answer(route, job, problems));
  await page.goto(`http://${HOST}/`);
  await page
    .waitForFunction(() => window.__done, null, { timeout: PATIENCE_MS })
    .catch(() => problems.push('not drawn in time'));
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(300); // fonts are drawn a frame later
  problems.push(...(await page.evaluate(() => window.__notes ?? [])), ...(await page.evaluate(blank)));
  await ((await page.$('#board')) ?? page).screenshot({ path: job.picture });
  await page.close();
  return [...new Set(problems)];
}

function blank() {
  const drew = (panel) => panel.innerText.trim() || panel.querySelector('canvas');
  const contents = [...document.querySelectorAll('#board section')].map((one) => [
    one,
    one.querySelector('[data-testid="data-testid panel content"]') ?? one,
  ]);
  return contents
    .filter(([, content]) => !drew(content))
    .map(([one]) => `panel "${one.innerText.split('\n')[0]}": nothing was drawn`);
}

const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'preview-'));
let noted = 0;
try {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    viewport: { width: jobs[0].width, height: 2400 },
    timezoneId: 'UTC',
    locale: 'en-US',
    args: QUIET,
  });
  for (const job of jobs) {
    const problems = await draw(context, job);
    problems.forEach((problem) => console.log(`${job.dashboard.uid}: ${problem}`));
    console.log(`${job.picture}${problems.length ? `: ${problems.length} to note` : ''}`);
    noted += problems.length;
  }
  await context.close();
} finally {
  fs.rmSync(profile, { recursive: true, force: true });
}
process.exit(noted ? 1 : 0);
