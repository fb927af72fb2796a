import { alternate } from '../harness/alternate.mjs';
import { WEIGHING, runApp } from '../harness/child.mjs';
import { count, mb, ms, spread, table } from '../harness/format.mjs';
import { NEST_11, NEST_12 } from '../harness/places.mjs';
import { difference, ratio, summarize } from '../harness/statistics.mjs';

const SUBJECTS = {
  ours: { title: 'nestjs-clients, /redis and /dynamodb', place: NEST_12, file: 'ours.mjs', ours: true },
  oursCore: { title: 'nestjs-clients alone', place: NEST_12, file: 'ours-core.mjs', ours: true },
  unrun: { title: 'its files read as one and parsed, not run', place: NEST_12, file: 'ours-unrun.mjs' },
  floor: { title: 'what it imports of Nest and rxjs, and nothing else', place: NEST_12, file: 'floor.mjs' },
  empty: { title: 'an empty file', place: NEST_12, file: 'empty.mjs' },
  awsSdkNest: { title: 'aws-sdk-v3-nest', place: NEST_12, file: 'aws-sdk-v3-nest.mjs' },
  nestjsModules: { title: '@nestjs-modules/ioredis', place: NEST_12, file: 'nestjs-modules.mjs' },
  floorOn11: { title: 'what it imports of Nest and rxjs, and nothing else', place: NEST_11, file: 'floor.mjs' },
  oursOn11: { title: 'nestjs-clients, /redis and /dynamodb', place: NEST_11, file: 'ours.mjs', ours: true },
  songkeys: { title: '@songkeys/nestjs-redis', place: NEST_11, file: 'songkeys.mjs' },
  liaoliaots: { title: '@liaoliaots/nestjs-redis', place: NEST_11, file: 'liaoliaots.mjs' },
};
/** Those that come with a driver, as the library's entries for Redis and DynamoDB do when they are used. */
const PEERS = { nestjsModules: 'ours', songkeys: 'oursOn11', liaoliaots: 'oursOn11' };

/** The cost of importing the package, over Nest alone. */
export default {
  id: 'import',

  async measure({ rounds }) {
    const run = ({ place, file }, args, options) =>
      runApp(place, 'import.mjs', [`./imports/${file}`, ...args], options);
    const counted = {};
    for (const [name, subject] of Object.entries(SUBJECTS)) counted[name] = await run(subject, ['count']);
    const series = await alternate(SUBJECTS, rounds(11), (subject) => run(subject, []));
    const weights = await alternate(SUBJECTS, rounds(2), (subject) => run(subject, [], { flags: WEIGHING }));
    return { counted, series, weights };
  },

  report({ counted, series, weights }) {
    const time = (name) => summarize(series[name].time);
    const more = (name, other) => difference(series[name].time, series[other].time);
    const median = (summary) => ms(summary.median);
    const faster = Object.entries(PEERS).map(([peer, ours]) => ratio(series[peer].time, series[ours].time));
    const peerTimes = Object.keys(PEERS).map((name) => `${SUBJECTS[name].title} ${median(time(name))}`);
    return {
      title: 'Importing the package',
      about:
        'Each in a fresh process that has loaded Nest and its Express adapter. Modules are the files that V8 compiles for it. Floor: a file that imports from Nest and rxjs what nestjs-clients does, and does nothing. Not run: the same imports and the same code, in a function that nobody calls. The time is taken in runs without a collection before it, the memory in runs of its own.',
      rows: [
        {
          figure: 'import over Nest alone: time',
          goal: '< 3 ms',
          ours: spread(time('ours'), ms),
          compared: [
            `empty file ${spread(time('empty'), ms)}`,
            `floor ${spread(time('floor'), ms)}`,
            `not run ${spread(time('unrun'), ms)}`,
            ...peerTimes,
          ].join('<br>'),
          ratio: `over the floor ${spread(more('ours', 'floor'), ms)}<br>peers ${faster.map((summary) => spread(summary)).join('<br>')}`,
          met: time('ours').median < 3,
          why: `an empty file takes ${median(time('empty'))}; what is imported of Nest and rxjs, ${median(more('floor', 'empty'))} more; to read and parse the code as one file, ${median(more('unrun', 'floor'))} more; to run the core of it, in the files that it is made of, ${median(more('oursCore', 'unrun'))} more; to read and run the entries /redis and /dynamodb, ${median(more('ours', 'oursCore'))} more.`,
        },
        {
          figure: 'import over Nest alone: SDK modules',
          goal: '0',
          ours: count(counted.ours.sdkModules),
          compared: Object.keys(PEERS)
            .map((name) => `${SUBJECTS[name].title} ${counted[name].sdkModules}`)
            .join('<br>'),
          ratio: '',
          met: counted.ours.sdkModules === 0,
        },
      ],
      details: table(
        ['import', 'Nest', 'time', 'resident memory', 'heap', 'modules', 'of SDKs'],
        Object.entries(SUBJECTS).map(([name, { title, place }]) => [
          title,
          place.slice(4),
          spread(time(name), ms),
          spread(summarize(weights[name].rss), mb),
          mb(summarize(weights[name].heap).median),
          count(counted[name].modules),
          count(counted[name].sdkModules),
        ]),
      ),
      plot: {
        kind: 'bars',
        title: 'Importing the package, over Nest alone',
        unit: 'ms',
        bars: ['empty', 'floor', 'ours', 'nestjsModules', 'songkeys', 'liaoliaots'].map((name) => ({
          label: SUBJECTS[name].title,
          ours: Boolean(SUBJECTS[name].ours),
          ...time(name),
        })),
      },
    };
  },
};
