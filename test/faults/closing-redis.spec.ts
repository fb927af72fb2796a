import { setImmediate } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect, it, type MockInstance, onTestFinished, vi } from 'vitest';
import { getClientToken, type ClientDefinition } from '../../src/index.js';
import { clientsOf, moduleOf } from '../support/boot-app.js';
import { describeWithRedis } from '../support/redis-server.js';
import { closedBy, openHandles } from '../support/open-handles.js';
import { record, recordClosing, milliseconds } from './support/record.js';
import { KIND_NAMES, REDIS_KINDS } from './support/redis-kinds.js';
import { SUBJECTS, type Asked, type Subjects } from './support/closing-subjects.js';

const CLOSE_TIMEOUT = 500;
/** Milliseconds that closing may take: after the deadline, ioredis needs another 2 s to give up on a silent server. */
const LONGEST = CLOSE_TIMEOUT + 2_100;

/** A client in an application, with the outcome of every command. */
interface Subject {
  readonly app: INestApplicationContext;
  readonly client: Asked;
  readonly patience: object;
  readonly commands: { answered: number; rejected: number; pending: number };
  readonly watch: (...commands: Promise<unknown>[]) => void;
}

interface Fault {
  readonly name: string;
  /** The kinds of client to which the fault applies. Default: all. */
  readonly kinds?: RegExp;
  /** More options of ioredis. */
  readonly options?: object;
  readonly connect?: 'use';
  /** Prepares the servers before any client exists. */
  readonly before?: (redis: Subjects) => void | Promise<void>;
  /** Causes the fault, when every client is connected, unless `connect` is 'use'. */
  readonly happen?: (redis: Subjects) => void | Promise<void>;
  /** Waits until a client has noticed the fault. */
  readonly notice?: (subject: Subject) => Promise<void>;
  /** Sends commands after that. */
  readonly ask?: (subject: Subject) => void | Promise<void>;
  /** Causes a second fault after that, by which the connection is lost. */
  readonly worsen?: (redis: Subjects) => Promise<void>;
  /** Closes the client at the same time as the library does. */
  readonly also?: (subject: Subject) => Promise<unknown>;
  /** Milliseconds that closing may take, if the answers themselves take longer than usual. */
  readonly closeTimeout?: number;
  /** The expected outcome of the commands, of which none may be pending in any case. */
  readonly expect?: (subject: Subject) => void;
}

const down = async (redis: Subjects) => {
  await Promise.all(redis.servers.map((server) => server.kill()));
};
const freeze = (redis: Subjects) => redis.servers.forEach((server) => server.freeze());
const isDown = ({ client }: Subject) => client.down();
const isReady = ({ client }: Subject) => client.ready();
const askTwo = ({ client, watch }: Subject) => watch(client.set('a', 1), client.get('a'));
const noCommands = ({ commands }: Subject) => expect(commands).toEqual({ answered: 0, rejected: 0, pending: 0 });
const allRejected = ({ commands }: Subject) => expect(commands).toMatchObject({ answered: 0, pending: 0 });

const FAULTS: readonly Fault[] = [
  {
    name: 'ready, 2,000 commands pending',
    closeTimeout: 2_000,
    ask: ({ client, watch }) =>
      watch(...Array.from({ length: 2_000 }, (_, index) => client.set(`key:${index}`, index))),
    expect: ({ commands }) => expect(commands).toEqual({ answered: 2_000, rejected: 0, pending: 0 }),
  },
  { name: 'never connected', connect: 'use', expect: noCommands },
  {
    name: 'the user has quit before',
    ask: async ({ client }) => {
      const ended = client.ended();
      await client.quit();
      await ended;
    },
  },
  { name: 'the user quits at the same time', also: ({ client }) => client.quit().catch(() => {}) },
  { name: 'down, nothing queued', happen: down, notice: isDown, expect: noCommands },
  { name: 'down, two commands queued', happen: down, notice: isDown, ask: askTwo, expect: allRejected },
  {
    name: 'killed with two commands in flight',
    happen: freeze,
    ask: askTwo,
    worsen: down,
    expect: allRejected,
  },
  {
    name: 'down from the start, nothing queued',
    connect: 'use',
    before: down,
    notice: async ({ client }) => {
      const failed = client.failed();
      client.connect().catch(() => {});
      await failed;
    },
  },
  { name: 'down from the start, two commands queued', connect: 'use', before: down, ask: askTwo, expect: allRejected },
  {
    name: 'down, the user disconnects, commands before and after',
    happen: down,
    notice: isDown,
    ask: ({ client, watch }) => {
      watch(client.set('a', 1));
      void client.disconnect();
      watch(client.set('a', 2));
    },
    expect: allRejected,
  },
  {
    name: 'down, the user quits, commands before and after',
    happen: down,
    notice: isDown,
    ask: ({ client, watch }) => watch(client.set('a', 1), client.quit(), client.set('a', 2)),
  },
  {
    name: 'connecting, the user quits',
    connect: 'use',
    ask: ({ client, watch }) => watch(client.connect(), client.quit(), client.get('a')),
  },
  { name: 'frozen, nothing in flight', happen: freeze, expect: noCommands },
  { name: 'frozen, two commands in flight', happen: freeze, ask: askTwo, expect: allRejected },
  { name: 'accepts TCP and answers nothing, nothing queued', before: freeze },
  { name: 'accepts TCP and answers nothing, two commands queued', before: freeze, ask: askTwo, expect: allRejected },
  {
    name: 'BLPOP 0 pending',
    ask: ({ client, watch }) => watch(client.block()),
    expect: ({ commands }) => expect(commands).toEqual({ answered: 0, rejected: 1, pending: 0 }),
  },
  { name: 'subscribed', ask: async ({ client }) => void (await client.subscribe('news')) },
  { name: 'connecting, nothing queued', connect: 'use', ask: ({ client }) => void client.connect().catch(() => {}) },
  { name: 'connecting, two commands queued', connect: 'use', ask: askTwo },
  {
    name: 'one primary of three frozen, 60 commands in flight',
    kinds: /Cluster/,
    happen: (redis) => redis.primaries[0]?.freeze(),
    ask: ({ client, watch }) => watch(...Array.from({ length: 60 }, (_, index) => client.set(`key:${index}`, index))),
    expect: ({ commands }) => {
      expect(commands.answered).toBeGreaterThan(20);
      expect(commands.rejected).toBeGreaterThan(5);
    },
  },
  {
    name: 'with the failover detector',
    kinds: /^Sentinel/, // ioredis's own
    options: { failoverDetector: true },
  },
  {
    name: 'with the failover detector, down, two commands queued',
    kinds: /^Sentinel/, // ioredis's own

    options: { failoverDetector: true },
    happen: down,
    notice: isDown,
    ask: askTwo,
    expect: allRejected,
  },
  {
    name: 'with the failover detector, frozen, two commands in flight',
    kinds: /^Sentinel/, // ioredis's own

    options: { failoverDetector: true },
    happen: freeze,
    ask: askTwo,
    expect: allRejected,
  },
  {
    name: 'the user has disconnected before',
    ask: async ({ client }) => {
      const ended = client.ended();
      await client.disconnect();
      await ended;
    },
  },
];

const COLUMNS = Object.keys(SUBJECTS);
const CASES = FAULTS.flatMap((fault) =>
  COLUMNS.filter((kind) => fault.kinds?.test(kind) ?? true).map((kind) => [fault.name, kind, fault] as const),
);

let closings = 0;
let slowest = 0;

describeWithRedis('closing an application whose Redis client is in trouble', () => {
  let consoleError: MockInstance;
  beforeEach(() => {
    consoleError = vi.spyOn(console, 'error');
  });
  afterEach(() => {
    consoleError.mockRestore();
  });

  it.each(CASES)('ends in time, with nothing left: %s, %s', async (name, kind, fault) => {
    await using redis = await (SUBJECTS[kind] as () => Promise<Subjects>)();
    for (let turn = 0; turn < 5; turn += 1) await setImmediate(); // until the sockets that a helper has just destroyed are gone
    const before = openHandles();
    await fault.before?.(redis);
    const subjects = await Promise.all(redis.patiences.map((patience) => boot(redis, patience, fault)));
    if (!fault.before && fault.connect !== 'use') await Promise.all(subjects.map(isReady));
    const noticed = Promise.all(subjects.map(async (subject) => fault.notice?.(subject)));
    await fault.happen?.(redis);

    await noticed;
    await Promise.all(subjects.map(async (subject) => fault.ask?.(subject)));
    if (fault.worsen) {
      const lost = subjects.map(isDown);
      await fault.worsen(redis);
      await Promise.all(lost);
    }

    const from = performance.now();
    const durations = await Promise.all(
      subjects.map(async (subject) => {
        await Promise.all([subject.app.close(), fault.also?.(subject)]);
        return performance.now() - from;
      }),
    );
    const left = await closedBy(from + LONGEST, before);
    // A client of Sentinels of node-redis that is just asking them ends 1 s after its sockets.
    while (!subjects.every(({ client }) => client.hasEnded) && performance.now() < from + LONGEST) await setImmediate();
    await setImmediate(); // lets the last commands reject

    for (const [index, subject] of subjects.entries()) {
      const about = JSON.stringify(subject.patience);
      expect(durations[index], about).toBeLessThan(LONGEST);
      expect(subject.client.hasEnded, about).toBe(true);
      expect(subject.commands.pending, about).toBe(0);
      fault.expect?.(subject);
    }
    expect(left).toEqual([]);
    expect(consoleError).not.toHaveBeenCalled();
    for (const server of redis.servers) server.thaw();
    if (![fault.happen, fault.before, fault.worsen].includes(down)) {
      for (const server of redis.servers) await server.clients(0);
    }
    closings += subjects.length;
    slowest = Math.max(slowest, ...durations);
    recordClosing({ fault: name, server: kind, closings: subjects.length, slowest: Math.max(...durations) });
  });

  it.each(KIND_NAMES)('leaves a duplicate to the user who made it: %s', async (kind) => {
    await using redis = await REDIS_KINDS[kind]();
    const app = await bootApp(redis.define({}, { eager: true }));
    const client = app.get<Redis>(getClientToken('redis'));
    const duplicate = client.duplicate();
    await duplicate.set('a', 1);
    await app.close();
    expect(client.status).toBe('end');
    expect(await duplicate.get('a')).toBe('1');
    const ended = new Promise<void>((resolve) => duplicate.once('end', () => resolve()));
    duplicate.disconnect();
    await ended;
    for (const server of redis.servers) await server.clients(0);
  });

  afterAll(() => {
    const bound = `the slowest after ${milliseconds(slowest)} with a closeTimeout of ${CLOSE_TIMEOUT} ms`;
    record(
      'closing',
      `${closings} closings in ${CASES.length} situations: all ended, ${bound}; 0 commands unsettled, 0 sockets, 0 timers (below)`,
    );
  });
});

async function bootApp(definition: ClientDefinition): Promise<INestApplicationContext> {
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: [clientsOf({ redis: definition })] }), {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(() => app.close());
  return app;
}

async function boot(redis: Subjects, patience: object, fault: Fault): Promise<Subject> {
  const { connect = 'bootstrap', closeTimeout = CLOSE_TIMEOUT, options = {} } = fault;
  const app = await bootApp(redis.define(patience, { eager: true, closeTimeout, connect }, options));
  const client = redis.ask(app.get(getClientToken('redis')));
  const commands = { answered: 0, rejected: 0, pending: 0 };
  const settle = (outcome: 'answered' | 'rejected') => () => {
    commands.pending -= 1;
    commands[outcome] += 1;
  };
  return {
    app,
    client,
    patience,
    commands,
    watch(...promises) {
      commands.pending += promises.length;
      for (const promise of promises) promise.then(settle('answered'), settle('rejected'));
    },
  };
}
