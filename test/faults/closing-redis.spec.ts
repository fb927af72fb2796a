import { setImmediate } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect, test, vi, type MockInstance } from 'vitest';
import { getClientToken } from '../../src/index.js';
import { clientsOf, moduleOf } from '../support/boot-app.js';
import { describeWithRedis } from '../support/redis-server.js';
import { closedBy, openHandles } from './support/open-handles.js';
import { record, recordClosing, milliseconds } from './support/record.js';
import { KIND_NAMES, PATIENCES, REDIS_KINDS, type Patience, type RedisKind, type RedisKindName } from './support/redis-kinds.js';

const CLOSE_TIMEOUT = 500;
/** The issue's own bound: ioredis needs 2 s to give up on a silent server. */
const LONGEST = CLOSE_TIMEOUT + 2_100;

type Client = Redis | Cluster;

/** A client in an application, with an eye on every command. */
interface Subject {
  readonly app: INestApplicationContext;
  readonly client: Client;
  readonly patience: Patience;
  readonly commands: { answered: number; rejected: number; pending: number };
  watch(...commands: Promise<unknown>[]): void;
}

interface Fault {
  readonly name: string;
  readonly kinds?: readonly RedisKindName[];
  /** More options of ioredis. */
  readonly options?: object;
  readonly connect?: 'use';
  /** Before any client exists. */
  before?(redis: RedisKind): void | Promise<void>;
  /** Before the servers fail, with every client connected unless `connect` is 'use'. */
  prepare?(subject: Subject): void | Promise<void>;
  /** What the servers do. */
  happen?(redis: RedisKind): void | Promise<void>;
  /** How a client is to have noticed. */
  notice?(subject: Subject): Promise<void>;
  /** What is asked of the client then. */
  ask?(subject: Subject): void | Promise<void>;
  /** Who else closes, at the same time. */
  also?(subject: Subject): Promise<unknown>;
  /** What must have become of the commands, over and above that none is pending. */
  expect?(subject: Subject): void;
}

const down = (redis: RedisKind) => Promise.all(redis.servers.map((server) => server.kill())).then(() => {});
const freeze = (redis: RedisKind) => redis.servers.forEach((server) => server.freeze());
const event = (client: Client, name: string) => new Promise<void>((resolve) => client.once(name, () => resolve()));
const isDown = async ({ client }: Subject) => {
  if (client.status !== 'reconnecting') await event(client, 'reconnecting');
};
const askTwo = ({ client, watch }: Subject) => watch(client.set('a', 1), client.get('a'));
const noCommands = ({ commands }: Subject) => expect(commands).toEqual({ answered: 0, rejected: 0, pending: 0 });
const allRejected = ({ commands }: Subject) => expect(commands).toMatchObject({ answered: 0, pending: 0 });

const FAULTS: readonly Fault[] = [
  {
    name: 'ready, 2,000 commands pending',
    ask: ({ client, watch }) => watch(...Array.from({ length: 2_000 }, (_, index) => client.set(`key:${index}`, index))),
    expect: ({ commands }) => expect(commands).toEqual({ answered: 2_000, rejected: 0, pending: 0 }),
  },
  { name: 'never connected', connect: 'use', expect: noCommands },
  {
    name: 'the user has quit before',
    ask: async ({ client }) => {
      const ended = event(client, 'end');
      await client.quit();
      await ended;
    },
  },
  { name: 'the user quits at the same time', also: ({ client }) => client.quit().catch(() => {}) },
  { name: 'down, nothing queued', happen: down, notice: isDown, expect: noCommands },
  { name: 'down, two commands queued', happen: down, notice: isDown, ask: askTwo, expect: allRejected },
  {
    name: 'down, one command in flight',
    prepare: async ({ client }) => void (await client.get('a')),
    happen: async (redis) => {
      freeze(redis);
    },
    ask: ({ client, watch }) => watch(client.incr('a')),
    notice: async () => {},
    // What was in flight is lost with the connection.
    also: async () => {},
  },
  {
    name: 'down from the start, nothing queued',
    before: down,
    notice: async ({ client }) => {
      if (client.status === 'connecting' || client.status === 'wait') await event(client, 'close');
    },
  },
  { name: 'down from the start, two commands queued', connect: 'use', before: down, ask: askTwo, expect: allRejected },
  {
    name: 'down, the user disconnects, commands before and after',
    happen: down,
    notice: isDown,
    ask: ({ client, watch }) => {
      watch(client.set('a', 1));
      client.disconnect();
      watch(client.set('a', 2));
    },
    expect: allRejected,
  },
  { name: 'frozen, nothing in flight', happen: freeze, expect: noCommands },
  { name: 'frozen, two commands in flight', happen: freeze, ask: askTwo, expect: allRejected },
  { name: 'accepts TCP and answers nothing, nothing queued', before: freeze },
  { name: 'accepts TCP and answers nothing, two commands queued', before: freeze, ask: askTwo, expect: allRejected },
  {
    name: 'BLPOP 0 pending',
    ask: ({ client, watch }) => watch(client.blpop('list', 0)),
    expect: ({ commands }) => expect(commands).toEqual({ answered: 0, rejected: 1, pending: 0 }),
  },
  { name: 'connecting, nothing queued', connect: 'use', ask: ({ client }) => void client.connect().catch(() => {}) },
  { name: 'connecting, two commands queued', connect: 'use', ask: askTwo },
  {
    name: 'one primary of three frozen, 60 commands in flight',
    kinds: ['Cluster'],
    happen: (redis) => redis.primaries[0]?.freeze(),
    ask: ({ client, watch }) => watch(...Array.from({ length: 60 }, (_, index) => client.set(`key:${index}`, index))),
    expect: ({ commands }) => {
      expect(commands.answered).toBeGreaterThan(20);
      expect(commands.rejected).toBeGreaterThan(5);
    },
  },
  { name: 'with the failover detector', kinds: ['Sentinel'], options: { failoverDetector: true } },
  {
    name: 'with the failover detector, down, two commands queued',
    kinds: ['Sentinel'],
    options: { failoverDetector: true },
    happen: down,
    notice: isDown,
    ask: askTwo,
    expect: allRejected,
  },
  {
    name: 'with the failover detector, frozen, two commands in flight',
    kinds: ['Sentinel'],
    options: { failoverDetector: true },
    happen: freeze,
    ask: askTwo,
    expect: allRejected,
  },
  {
    name: 'the user has disconnected before',
    ask: async ({ client }) => {
      const ended = event(client, 'end');
      client.disconnect();
      await ended;
    },
  },
];

const CASES = FAULTS.flatMap((fault) => (fault.kinds ?? KIND_NAMES).map((kind) => [fault.name, kind, fault] as const));

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

  test.each(CASES)('ends in time, with nothing left: %s, %s', async (name, kind, fault) => {
    await using redis = await REDIS_KINDS[kind]();
    for (let turn = 0; turn < 5; turn += 1) await setImmediate(); // the sockets that a helper has just destroyed
    const before = openHandles();
    await fault.before?.(redis);
    const subjects = await Promise.all(
      PATIENCES.map((patience) => start(redis, patience, fault.connect ?? 'bootstrap', fault.options)),
    );
    if (!fault.before && fault.connect !== 'use') await Promise.all(subjects.map(({ client }) => client.ping()));
    for (const subject of subjects) await fault.prepare?.(subject);
    const noticed = subjects.map((subject) => fault.notice?.(subject));
    await fault.happen?.(redis);
    await Promise.all(noticed);
    await Promise.all(subjects.map((subject) => fault.ask?.(subject)));

    const start_ = performance.now();
    const durations = await Promise.all(
      subjects.map(async (subject) => {
        await Promise.all([subject.app.close(), fault.also?.(subject)]);
        return performance.now() - start_;
      }),
    );
    const left = await closedBy(start_ + LONGEST, before);
    await setImmediate(); // the rejections of the last commands

    for (const [index, subject] of subjects.entries()) {
      const about = JSON.stringify(subject.patience);
      expect(durations[index], about).toBeLessThan(LONGEST);
      expect(subject.client.status, about).toBe('end');
      expect(subject.commands.pending, about).toBe(0);
      fault.expect?.(subject);
    }
    expect(left).toEqual([]);
    expect(consoleError).not.toHaveBeenCalled();
    for (const server of redis.servers) server.thaw();
    if (fault.happen !== down && fault.before !== down) {
      for (const server of redis.servers) await server.clients(0);
    }
    closings += subjects.length;
    slowest = Math.max(slowest, ...durations);
    recordClosing({ fault: name, server: kind, closings: subjects.length, slowest: Math.max(...durations) });
  });

  afterAll(() => {
    const bound = `the slowest after ${milliseconds(slowest)} with a closeTimeout of ${CLOSE_TIMEOUT} ms`;
    record('closing', `${closings} closings in ${CASES.length} situations: all ended, ${bound}; 0 commands unsettled, 0 sockets, 0 timers (below)`);
  });
});

async function start(redis: RedisKind, patience: Patience, connect: 'bootstrap' | 'use', options = {}): Promise<Subject> {
  const definition = redis.define(patience, { eager: true, closeTimeout: CLOSE_TIMEOUT, connect }, options);
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: [clientsOf({ redis: definition })] }), {
    logger: false,
    abortOnError: false,
  });
  const client = app.get<Client>(getClientToken('redis'));
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
