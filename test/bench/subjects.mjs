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
