// The dashboard's frame: its title, variables and panels on Grafana's grid; notes what Grafana's layout would move.
import { useEffect, useMemo, useState } from 'react';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { dateTimeFormat } from '@grafana/data';
import { utils as grid } from 'react-grid-layout';
import { fetched, Picture } from './panel.jsx';
import { complain } from './complaints.js';
import { filler } from './variables.js';

const [CELL, GAP, MARGIN, TOP, COLUMNS] = [30, 8, 16, 48, 24];

export function Board({ dashboard, job, range, chosen, events, notes, done }) {
  const theme = useTheme2();
  const panels = dashboard.panels;
  const fill = useMemo(() => filler(chosen), [chosen]);
  const places = useMemo(() => placed(panels, notes), [panels]);
  const [left, setLeft] = useState(panels.filter((panel) => panel.type !== 'row').length);
  useEffect(() => {
    if (left === 0) setTimeout(done, 400); // the last curves are drawn a frame later
  }, [left]);
  const column = (job.width - 2 * MARGIN - GAP * (COLUMNS - 1)) / COLUMNS;
  const box = ({ x, y, w, h }) => ({
    left: MARGIN + x * (column + GAP),
    top: TOP + y * (CELL + GAP),
    width: w * column + (w - 1) * GAP,
    height: h * CELL + (h - 1) * GAP,
  });
  const height = TOP + MARGIN + Math.max(...places.map(({ y, h }) => y + h)) * (CELL + GAP);
  return (
    <div
      id="board"
      style={{ position: 'relative', width: job.width, height, background: theme.colors.background.canvas }}
    >
      <Title {...{ dashboard, range, chosen }} />
      {panels.map((panel, i) =>
        panel.type === 'row' ? (
          <b
            key={panel.id}
            style={{ position: 'absolute', ...box(places[i]), color: theme.colors.text.primary, paddingTop: 4 }}
          >
            ⌄ {panel.title}
          </b>
        ) : (
          <Tile
            key={panel.id}
            {...{ panel, job, range, fill, events, notes }}
            box={box(places[i])}
            done={() => setLeft((n) => n - 1)}
          />
        ),
      )}
    </div>
  );
}

function Title({ dashboard, range, chosen }) {
  const theme = useTheme2();
  const style = { padding: '12px 16px', display: 'flex', gap: 24, color: theme.colors.text.primary };
  const time = (at) => dateTimeFormat(at, { timeZone: 'utc' });
  return (
    <div style={style}>
      <b>{dashboard.title}</b>
      {dashboard.templating.list
        .filter(({ hide }) => hide !== 2)
        .map(({ name, label }) => (
          <span key={name}>
            {label}: {chosen[name]?.all ? 'All' : chosen[name]?.values.join(', ')}
          </span>
        ))}
      <span style={{ marginLeft: 'auto' }}>
        {time(range.from)} to {time(range.to)} UTC
      </span>
    </div>
  );
}

function Tile({ panel, job, range, fill, events, notes, box, done }) {
  const [answer, setAnswer] = useState();
  const note = (text) => notes.push(`panel ${panel.id} "${panel.title}": ${text}`);
  useEffect(() => {
    complain(panel, note);
    fetched(panel, job, range, box.width, fill)
      .then((frames) => setAnswer({ frames }))
      .catch((error) => {
        note(error.message);
        setAnswer({ error: error.message });
      })
      .finally(done);
  }, []);
  return (
    <div style={{ position: 'absolute', ...box }}>
      <PanelChrome
        title={panel.title}
        description={panel.description}
        width={box.width}
        height={box.height}
        padding={panel.type === 'table' ? 'none' : 'md'}
        statusMessage={answer?.error}
      >
        {(width, height) =>
          answer?.frames && (
            <Picture {...{ panel, job, range, fill, events, note, width, height }} raw={answer.frames} />
          )
        }
      </PanelChrome>
    </div>
  );
}

function placed(panels, notes) {
  const wanted = panels.map(({ id, gridPos }) => ({ i: `${id}`, ...gridPos }));
  const layout = grid.compact(
    grid.correctBounds(
      wanted.map((place) => ({ ...place })),
      { cols: COLUMNS },
    ),
    'vertical',
    COLUMNS,
  );
  layout.forEach((place, i) => {
    const { x, y, w, h } = wanted[i];
    if (place.x !== x || place.y !== y || place.w !== w) {
      notes.push(`panel ${place.i}: ${w}x${h} at ${x},${y} is moved by Grafana's layout to ${place.x},${place.y}`);
    }
  });
  return layout;
}
