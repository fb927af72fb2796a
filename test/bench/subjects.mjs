import { NEST_11, NEST_12 } from './harness/places.mjs';

/**
 * What is measured side by side. `file` names the subject's file in a folder of apps/; a peer whose package.json wants
 * Nest 11 and ioredis 5 runs on those, next to the library on the same.
 */
export const SUBJECTS = {
  ours: { title: 'nestjs-clients', place: NEST_12, file: 'ours.mjs', ours: true },
  handWritten: { title: 'hand-written useFactory', place: NEST_12, file: 'hand-written.mjs' },
  singleton: { title: 'module-level singleton', place: NEST_12, file: 'singleton.mjs' },
  nestjsModules: { title: '@nestjs-modules/ioredis', place: NEST_12, file: 'nestjs-modules.mjs' },
  oursOn11: { title: 'nestjs-clients', place: NEST_11, file: 'ours.mjs', ours: true },
  handWrittenOn11: { title: 'hand-written useFactory', place: NEST_11, file: 'hand-written.mjs' },
  songkeys: { title: '@songkeys/nestjs-redis', place: NEST_11, file: 'songkeys.mjs' },
  liaoliaots: { title: '@liaoliaots/nestjs-redis', place: NEST_11, file: 'liaoliaots.mjs' },
};

/** The peers proper, each with what it is compared with: the library on the same Nest. */
export const PEERS = { nestjsModules: 'ours', songkeys: 'oursOn11', liaoliaots: 'oursOn11' };

/**
 * What a cold start compares. `twin`: the library on the same Nest and with the same driver; `onDemandFile`: where the
 * registry is asked for the client; `everywhere`: a floor, whatever is declared.
 */
export const COLD_SUBJECTS = {
  ours: { ...SUBJECTS.ours, onDemandFile: 'ours-on-demand.mjs' },
  handWritten: { ...SUBJECTS.handWritten, twin: 'ours' },
  singleton: { ...SUBJECTS.singleton, twin: 'ours' },
  nestjsModules: { ...SUBJECTS.nestjsModules, twin: 'ours', peer: true },
  withoutSdk: {
    title: 'nestjs-clients, no SDK declared',
    place: NEST_12,
    file: 'without-sdk.mjs',
    twin: 'ours',
    everywhere: true,
  },
  nothing: { title: 'Nest alone', place: NEST_12, file: 'nothing.mjs', twin: 'ours', everywhere: true },
  oursOn11: { ...SUBJECTS.oursOn11, onDemandFile: 'ours-on-demand.mjs' },
  songkeys: { ...SUBJECTS.songkeys, twin: 'oursOn11', peer: true },
  liaoliaots: { ...SUBJECTS.liaoliaots, twin: 'oursOn11', peer: true },
  oursNodeRedis: {
    title: 'nestjs-clients, node-redis',
    place: NEST_11,
    file: 'ours-node-redis.mjs',
    onDemandFile: 'ours-node-redis-on-demand.mjs',
    ours: true,
  },
  nestjsRedis: {
    title: '@nestjs-redis/client, node-redis',
    place: NEST_11,
    file: 'nestjs-redis.mjs',
    twin: 'oursNodeRedis',
    peer: true,
  },
};
