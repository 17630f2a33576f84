// What Grafana's core registers at start-up and does not publish: editors, standard field options, transformations.
import * as D from '@grafana/data';

const EDITORS = [
  ...[
    'text',
    'number',
    'slider',
    'radio',
    'select',
    'multi-select',
    'multi-select-stats',
    'unit',
    'boolean',
    'strings',
  ],
  ...['timezone', 'color', 'fieldColor', 'stats-picker', 'field-name', 'dashboard-uid'],
];
const THRESHOLDS = {
  mode: 'absolute',
  steps: [
    { value: -Infinity, color: 'green' },
    { value: 80, color: 'red' },
  ],
};
// name, what processes an override, default
const FIELD_OPTIONS = [
  ['unit', D.unitOverrideProcessor],
  ['min', D.numberOverrideProcessor],
  ['max', D.numberOverrideProcessor],
  ['fieldMinMax', D.booleanOverrideProcessor],
  ['decimals', D.numberOverrideProcessor],
  ['displayName', D.displayNameOverrideProcessor],
  ['noValue', D.stringOverrideProcessor],
  ['thresholds', D.thresholdsOverrideProcessor, THRESHOLDS],
  ['mappings', D.valueMappingsOverrideProcessor, []],
  ['links', D.dataLinksOverrideProcessor],
  ['actions', D.identityOverrideProcessor],
  ['color', D.identityOverrideProcessor, { mode: 'thresholds' }],
  ['filterable', D.booleanOverrideProcessor],
];
const nothing = () => null;

export function register() {
  D.standardEditorsRegistry.setInit(() => EDITORS.map((id) => ({ id, name: id, editor: nothing })));
  D.standardFieldConfigEditorRegistry.setInit(() =>
    FIELD_OPTIONS.map(([id, process, defaultValue]) => ({
      id,
      path: id,
      name: id,
      editor: nothing,
      override: nothing,
      process,
      shouldApply: () => true,
      defaultValue,
      settings: id === 'displayName' ? { expandTemplateVars: true } : {},
    })),
  );
  // joinByField is there under two names, which the registry refuses
  const transformers = new Map(Object.values(D.standardTransformers).map((one) => [one.id, one]));
  D.standardTransformersRegistry.setInit(() =>
    [...transformers.values()].map((one) => ({
      id: one.id,
      name: one.name,
      transformation: async () => one,
      editor: nothing,
    })),
  );
}
