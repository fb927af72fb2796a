/**
 * Imports run one way: module -> registry -> definition, events -> redaction -> errors; subpaths -> definition.
 * Each folder of `src` names the folders that it may import from. A single file is named without its extension.
 */
const MAY_IMPORT = {
  errors: [],
  redaction: ['errors'],
  events: ['errors', 'redaction'],
  definition: ['errors', 'redaction'],
  registry: ['errors', 'redaction', 'events', 'definition', 'clients.tokens'],
  module: ['errors', 'redaction', 'definition', 'registry', 'clients.tokens'],
  // Kinds of clients declare; how clients are built and shared is none of their business.
  redis: ['errors', 'definition', 'redis-url', 'redis.tokens', 'clients.tokens', 'inject-redis.decorator'],
  'node-redis': ['errors', 'definition', 'redis-url', 'redis.tokens', 'inject-redis.decorator'],
  aws: ['errors', 'definition'],
  dynamodb: ['errors', 'definition', 'aws', 'clients.tokens', 'inject-client.decorator'],
  // What watches clients asks the registry.
  terminus: ['errors', 'registry'],
  opentelemetry: ['events', 'registry'],
  http: ['errors', 'definition', 'module/set-distance', 'clients.tokens'],
  testing: ['errors', 'definition', 'redaction'],
};
const OPTIONAL_PEERS =
  'node_modules/(ioredis|redis|@redis|@aws-sdk|@nestjs/terminus|@opentelemetry/api|dynalite|js-redis-server)/';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
      name: `${folder}-imports-one-way`,
      severity: 'error',
      from: { path: `^src/${folder}/`, pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})(/|\\.ts$)` },
    })),
    {
      name: 'every-folder-says-what-it-imports',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(MAY_IMPORT).join('|')})/` },
      to: {},
    },
    {
      name: 'core-knows-no-subpath',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: { path: '^src/(redis|node-redis|aws|dynamodb|terminus|opentelemetry|http|testing)/' },
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
      from: { path: '^src/', pathNot: '^src/(terminus|opentelemetry)/|\\.spec\\.ts$' },
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
