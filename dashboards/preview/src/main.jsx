// A page that draws one dashboard with Grafana's own published components; window.__notes says what is wrong with it.
import { createRoot } from 'react-dom/client';
import { createTheme, dateTime, EventBusSrv, ThemeContext } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles, PanelContextProvider, PortalContainer } from '@grafana/ui';
import { happenings } from './annotations.jsx';
import { Board } from './board.jsx';
import { register } from './registry.js';
import { choose } from './variables.js';

const notes = (window.__notes = []);
register();
await initPluginTranslations('preview').catch(() => {}); // without translations the components speak English
const { dashboard, ...job } = await (await fetch('/job.json')).json();
const [from, to] = [dateTime(job.from), dateTime(job.to)];
const range = { from, to, raw: { from, to } };
const chosen = await choose(dashboard, job, notes).catch((error) => (notes.push(`variables: ${error.message}`), {}));
const events = await happenings(dashboard, job, chosen, notes);
const context = { eventsScope: 'preview', eventBus: new EventBusSrv(), sync: () => 0 };
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={createTheme({ colors: { mode: 'dark' } })}>
    <GlobalStyles />
    <PanelContextProvider value={context}>
      <Board {...{ dashboard, job, range, chosen, events, notes }} done={() => (window.__done = true)} />
    </PanelContextProvider>
    <PortalContainer />
  </ThemeContext.Provider>,
);
