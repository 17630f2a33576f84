// What Grafana passes over in silence: in, a panel; out, what its own registries do not know, or has no effect.
import * as D from '@grafana/data';
import { pluginFor } from './plugins.js';

const OWN_UNIT = /^(prefix|suffix|time|si|count|currency|bool):/;

export function complain(panel, say) {
  const plugin = pluginFor(panel.type);
  if (!plugin) return say(`panel type "${panel.type}" unknown`);
  const { defaults, overrides } = panel.fieldConfig;
  const known = (path) => plugin.fieldConfigRegistry.getIfExists(path);
  value('unit', defaults.unit, say);
  value('color', defaults.color, say);
  unknownPaths(defaults, '', known, (path) => say(`unknown field option "${path}": dropped`));
  for (const { matcher, properties } of overrides) {
    if (!D.fieldMatchers.getIfExists(matcher.id)) say(`unknown matcher "${matcher.id}"`);
    for (const { id, value: set } of properties) {
      if (!known(id)) say(`unknown override "${id}": dropped`);
      value(id, set, say);
    }
  }
  for (const { id } of panel.transformations ?? []) {
    if (!D.standardTransformersRegistry.getIfExists(id)) say(`transformation "${id}" not in @grafana/data`);
  }
  for (const calc of [...(panel.options.reduceOptions?.calcs ?? []), ...(panel.options.legend?.calcs ?? [])]) {
    if (!D.fieldReducers.getIfExists(calc)) say(`unknown calc "${calc}"`);
  }
  for (const option of Object.keys(panel.options)) if (!(option in plugin.known)) say(`unknown option "${option}"`);
}

function value(path, set, say) {
  if (path === 'unit' && set && !units().has(set) && !OWN_UNIT.test(set))
    say(`unknown unit "${set}": printed as it is`);
  if (path !== 'color' || !set?.mode || ['fixed', 'shades'].includes(set.mode)) return;
  if (!D.fieldColorModeRegistry.getIfExists(set.mode)) say(`unknown colour mode "${set.mode}"`);
}

const units = () => new Set(D.getValueFormats().flatMap((category) => category.submenu.map((unit) => unit.value)));

function unknownPaths(options, prefix, known, say) {
  for (const [key, set] of Object.entries(options)) {
    const path = prefix + key;
    if (known(path)) continue;
    const isGroup = set && typeof set === 'object' && !Array.isArray(set);
    if (isGroup && (key === 'custom' || Object.keys(set).some((inner) => known(`${path}.${inner}`)))) {
      unknownPaths(set, `${path}.`, known, say);
    } else say(path);
  }
}

// An override that matches no field of the data is legal JSON and does nothing.
export function deadOverrides(fieldConfig, frames, say) {
  for (const { matcher } of fieldConfig.overrides) {
    const matches = D.fieldMatchers.getIfExists(matcher.id)?.get(matcher.options);
    if (matches && !frames.some((frame) => frame.fields.some((field) => matches(field, frame, frames)))) {
      say(`override ${matcher.id} ${JSON.stringify(matcher.options)} matches no field`);
    }
  }
}
