import { Inject, Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadPackage } from '../../src/definition/load-package.js';
import {
  ClientRegistry,
  ClientsModule,
  defineClient,
  getClientToken,
  keyedClients,
  type ClientDefinitions,
  type KeyedClients,
} from '../../src/index.js';
import { redisClient } from '../../src/redis/index.js';
import { rejection } from '../support/boot-app.js';

const PAGE = 'docs/troubleshooting.md';
const LOCAL = 'redis://localhost:6379';
const ABSENT: string = 'no-such-driver';
const never = (): Promise<never> => new Promise(() => {});

@Injectable()
class Handler {
  constructor(@Inject(getClientToken('redis')) readonly redis: unknown) {}
}

@Injectable()
class Reports {
  constructor(readonly clients: ClientRegistry) {}
}

function compile(metadata: ModuleMetadata): Promise<TestingModule> {
  return Test.createTestingModule(metadata)
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
}

async function open(clients: ClientDefinitions): Promise<{ module: TestingModule; registry: ClientRegistry }> {
  const module = await compile({ imports: [ClientsModule.forRoot({ clients })] });
  await module.init();
  return { module, registry: module.get(ClientRegistry) };
}

/** Each way to go wrong that the page is about, as far as it is this library that says so, or Nest. */
const MISTAKES: Readonly<Record<string, () => unknown>> = {
  'no server': () => ClientsModule.forRoot({ clients: { redis: redisClient({}) } }),
  'a variable that is not set': async () => {
    const { registry } = await open({ redis: redisClient({ useFactory: () => ({ url: undefined as never }) }) });
    await registry.get('redis');
  },
  'a variable that is empty': () => ClientsModule.forRoot({ clients: { redis: redisClient('') } }),
  'a URL without a scheme': () => ClientsModule.forRoot({ clients: { redis: redisClient('localhost:6379') } }),
  'a percent sign': () => ClientsModule.forRoot({ clients: { redis: redisClient('redis://app:p%ss@localhost') } }),
  'no definition': () => ClientsModule.forRoot({ clients: { redis: {} as never } }),
  'a name twice': () => {
    const forRoot = () => ClientsModule.forRoot({ clients: { redis: redisClient(LOCAL) } });
    return compile({ imports: [forRoot(), forRoot()] });
  },
  'no forRoot': () => compile({ imports: [ClientsModule] }),
  'a registry of one’s own': () => compile({ providers: [ClientRegistry] }),
  'a client that is not declared': () => compile({ providers: [Handler] }),
  'a client that is not imported': () => {
    @Module({ imports: [ClientsModule.forRoot({ isGlobal: false, clients: { redis: redisClient(LOCAL) } })] })
    class Hidden {}
    return compile({ imports: [Hidden], providers: [Handler] });
  },
  'no registry': () => compile({ providers: [Reports] }),
  'an import that is missing': async () => {
    const { registry } = await open({ redis: redisClient({ inject: [Reports], useFactory: () => ({ url: LOCAL }) }) });
    await registry.get('redis');
  },
  'an unknown name': async () => (await open({})).registry.get('sessions'),
  'a package that is not installed': () => loadPackage(ABSENT, 'Client "redis"', () => import(ABSENT)),
  'no server at its address': async () => {
    const lifecycle = { waitUntilReady: true, createTimeout: 300 };
    const options = { host: '127.0.0.1', port: 1, retryStrategy: () => 60_000 }; // the last look is between two attempts
    const { registry } = await open({ redis: redisClient(options, lifecycle) });
    await registry.get('redis');
  },
  'a create that hangs': async () => {
    const { registry } = await open({ main: defineClient({ create: never }, { createTimeout: 20 }) });
    await registry.get('main');
  },
  'a circle': async () => {
    const on = (name: string) => defineClient({ inject: [getClientToken(name)], create: () => ({}) });
    await (await open({ a: on('b'), b: on('a') })).registry.get('a');
  },
  'another scope': async () => {
    const inject = [getClientToken('base')];
    const base = defineClient({ create: () => ({}) });
    const { registry } = await open({ base, main: defineClient({ inject, create: () => ({}) }, { scope: 'process' }) });
    await registry.get('main');
  },
  'a create that returns nothing': async () => {
    await (await open({ main: defineClient({ create: () => undefined as never }) })).registry.get('main');
  },
  'a create that throws': async () => {
    const create = (): object => {
      throw new Error('no licence');
    };
    await (await open({ main: defineClient({ create }) })).registry.get('main');
  },
  'get of a lazy client': async () => (await open({ redis: redisClient(LOCAL) })).module.get(getClientToken('redis')),
  'too many keys': async () => {
    const define = () => defineClient({ create: () => ({}) });
    const { registry } = await open({ tenants: keyedClients({ define, max: 1 }) });
    const tenants = (await registry.get('tenants')) as KeyedClients<object>;
    await tenants.lease('acme');
    await tenants.lease('initech');
  },
  'a check that hangs': async () => {
    const { registry } = await open({ main: defineClient({ create: () => ({}), check: never }) });
    await registry.get('main');
    throw new Error((await registry.check('main', { timeout: 20 })).error?.message);
  },
  'a first use after the end': async () => {
    const { module, registry } = await open({ main: defineClient({ create: () => ({}) }) });
    await module.close();
    await registry.get('main');
  },
  'work after the end': async () => {
    const { module, registry } = await open({});
    await module.close();
    await registry.use(() => 1);
  },
  'a close that hangs': async () => {
    const main = defineClient({ create: () => ({}), close: never }, { closeTimeout: 20 });
    const { registry } = await open({ main });
    await registry.get('main');
    await registry.close();
  },
};

/** Under which heading of the page each of them is. */
const HEADINGS: Readonly<Record<string, string>> = {
  'no server': 'client "…": nothing says where the server is',
  'a variable that is not set': 'nothing says where the server is: the factory returned url: undefined',
  'a variable that is empty': '"url" is empty; perhaps a variable is not set',
  'a URL without a scheme': '"url" must be a string that starts with redis:// or rediss://',
  'a percent sign': '"url" has a "%" in its user name or password that begins no percent-encoded character',
  'no definition': 'it is not a client definition; declare it with defineClient(), …',
  'a name twice': 'Client "…" is declared twice',
  'no forRoot': 'ClientsModule: it is imported without forRoot()',
  'a registry of one’s own': 'ClientRegistry: it is listed in "providers"',
  'a client that is not declared':
    'Nest can\'t resolve dependencies of the … (?). Please make sure that the argument "nestjs-clients:…, to be declared in ClientsModule.forRoot(), …',
  'a client that is not imported':
    'Nest can\'t resolve dependencies of the … (?). Please make sure that the argument "nestjs-clients:…, to be declared in ClientsModule.forRoot(), …',
  'no registry':
    "Nest can't resolve dependencies of the … (?). Please make sure that the argument ClientRegistry at index …",
  'an import that is missing': 'Client "…" could not be created: Nest can\'t resolve dependencies of the …',
  'an unknown name': 'No client is named "…"',
  'a package that is not installed': 'Client "…" needs the package "…", which is not installed',
  'no server at its address':
    'Client "…" was not created within … ms: it is not ready: …; its last error: connect ECONNREFUSED …',
  'a create that hangs': 'Client "…" was not created within … ms: create() has not returned yet',
  'a circle': 'it is built on itself: "…" -> "…" -> "…"',
  'another scope': 'its scope is "process", but "…", which it is built on, closes with one application',
  'a create that returns nothing': 'create() returned no client',
  'a create that throws': 'Client "…" could not be created: …',
  'get of a lazy client':
    '… is marked as a scoped provider. Request and transient-scoped providers can\'t be used in combination with "get()" method',
  'too many keys': 'Client "…" (key "…") has no room for another key: all … are in use',
  'a check that hangs': 'no answer within … ms',
  'a first use after the end':
    'Client "…" cannot be used: its application is shutting down, and builds no client any more',
  'work after the end': 'Work cannot begin: the application is shutting down and its clients close',
  'a close that hangs': 'Not every client closed gracefully: …',
};

/** What a heading says, with `…` for anything. */
function patternOf(heading: string): RegExp {
  const parts = heading.split(/ ?… ?/).map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(parts.join('[^]*'));
}

describe(PAGE, async () => {
  const page = await readFile(PAGE, 'utf8');

  it.each(Object.entries(MISTAKES))('has a heading with the text of the error for %s', async (name, mistake) => {
    const heading = HEADINGS[name] ?? '';
    const { message } = await rejection((async () => mistake())());

    expect(page).toContain(`\n### \`${heading}\``);
    expect(message).toMatch(patternOf(heading));
  });

  it('names every code', async () => {
    const codes = (await readFile('src/errors/clients.error.ts', 'utf8')).matchAll(/^ {2}\| '(CLIENTS_\w+)'/gm);
    const missing = [...codes].map(([, code = '']) => code).filter((code) => !page.includes(`\`${code}\``));

    expect(missing).toEqual([]);
  });
});
