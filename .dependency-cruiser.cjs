/** Imports run one way: module -> providers -> registry -> definition, events, errors; subpaths -> definition. */
const SUBPATHS = '^src/(redis|dynamodb|terminus|testing)/';
const OPTIONAL_PEERS = 'node_modules/(ioredis|@aws-sdk|@nestjs/terminus|dynalite|js-redis-server)/';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-knows-no-subpath',
      severity: 'error',
      from: { path: '^src/', pathNot: SUBPATHS },
      to: { path: SUBPATHS },
    },
    {
      name: 'subpaths-know-no-other',
      severity: 'error',
      from: { path: SUBPATHS },
      to: { path: SUBPATHS, pathNot: '^src/$1/' },
    },
    {
      name: 'drivers-declare-only',
      comment: 'A kind of client is a definition; how clients are built and shared is none of its business.',
      severity: 'error',
      from: { path: '^src/(redis|dynamodb|testing)/' },
      to: {
        path: '^src/(registry/|events/|index|clients[.-](module|providers|core|supply|resolution|wiring|validate-options))',
      },
    },
    {
      name: 'what-is-declared-knows-no-registry',
      severity: 'error',
      from: { path: '^src/(definition|errors|events|validation|kinds)/' },
      to: {
        path: '^src/(registry/|clients[.-](module|providers|core|supply|resolution|wiring|validate-options)|index)',
      },
    },
    {
      name: 'registry-knows-no-module',
      severity: 'error',
      from: { path: '^src/registry/' },
      to: { path: '^src/(clients[.-](module|providers|core|supply|resolution|wiring|validate-options)|index)' },
    },
    {
      name: 'nobody-imports-the-barrel',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'optional-peers-are-loaded-on-demand',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/terminus/|\\.spec\\.ts$' },
      to: { path: OPTIONAL_PEERS, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sample-app-uses-exports-only',
      severity: 'error',
      from: { path: '^sample-app/' },
      to: { path: '^src/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|^dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
