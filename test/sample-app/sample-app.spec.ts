import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ClientStatus } from 'nestjs-clients';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClientSnapshot } from '../../sample-app/src/clients/clients-feed.service.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import { RunningApp } from './running-app.js';
import { Target } from './target.js';

const UNKNOWN_SLUG = 'AAAAAAAA';

interface Shortened {
  slug: string;
  url: string;
  shortUrl: string;
}

function shorten(app: { url: string }, url: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${app.url}/links`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ url }),
  });
}

async function shortenedBy(app: { url: string }, url: string, headers?: Record<string, string>): Promise<Shortened> {
  return (await (await shorten(app, url, headers)).json()) as Shortened;
}

/** The header that names a workspace. */
function inWorkspace(name: string): { 'x-workspace': string } {
  return { 'x-workspace': name };
}

async function follow(url: string, headers: Record<string, string> = {}): Promise<number> {
  return (await fetch(url, { redirect: 'manual', headers })).status;
}

async function clicksOf(app: { url: string }, slug: string, headers: Record<string, string> = {}): Promise<unknown> {
  const answer = await fetch(`${app.url}/links/${slug}/stats`, { headers });
  return answer.ok ? ((await answer.json()) as { clicks: number }).clicks : answer.status;
}

async function clientsOf(app: { url: string }): Promise<Record<string, ClientStatus>> {
  const clients = (await (await fetch(`${app.url}/clients`)).json()) as ClientStatus[];
  return Object.fromEntries(clients.map((client) => [client.name, client]));
}

/** How often the log says that each client was closed. */
function closed(app: RunningApp): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, name] of app.output.matchAll(/Client "(\w+)" closed/g)) counts[name!] = (counts[name!] ?? 0) + 1;
  return counts;
}

async function refused(app: { url: string }): Promise<boolean> {
  try {
    await fetch(app.url);
    return false;
  } catch (error) {
    return ((error as Error).cause as { code?: string }).code === 'ECONNREFUSED';
  }
}

type Snapshots = AsyncGenerator<Record<string, ClientSnapshot>>;

/** What the event stream of the clients says, message by message. */
async function* watch(app: { url: string }): Snapshots {
  const { body } = await fetch(`${app.url}/clients/events`);
  let unread = '';
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    const messages = (unread + chunk).split('\n\n');
    unread = messages.pop()!;
    for (const message of messages) {
      const data = /^data: (.*)$/m.exec(message)?.[1];
      if (data) yield Object.fromEntries((JSON.parse(data) as ClientSnapshot[]).map((client) => [client.name, client]));
    }
  }
}

async function next(snapshots: Snapshots): Promise<Record<string, ClientSnapshot>> {
  const { value, done } = await snapshots.next();
  if (done) throw new Error('The stream has ended.');
  return value;
}

/** Reads on until the stream ends; one that is cut off instead is an error. */
async function drain(snapshots: Snapshots): Promise<void> {
  while (!(await snapshots.next()).done);
}

interface Health {
  status: number;
  clients: Record<string, { status: string }>;
  /** Milliseconds. */
  duration: number;
}

async function healthOf(app: { url: string }): Promise<Health> {
  const askedAt = performance.now();
  const answer = await fetch(`${app.url}/health`);
  const { details } = (await answer.json()) as { details: { clients: Health['clients'] } };
  return { status: answer.status, clients: details.clients, duration: performance.now() - askedAt };
}

describe('the sample app', () => {
  const apps: RunningApp[] = [];

  afterAll(() => Promise.all(apps.map((app) => app.kill())));

  async function start(env?: Record<string, string>): Promise<RunningApp> {
    const app = await RunningApp.start(env);
    apps.push(app);
    return app;
  }

  describe('on servers of its own', () => {
    let app: RunningApp;
    let target: Target;

    beforeAll(async () => {
      target = new Target();
      await target.start();
      app = await start();
    });

    afterAll(async () => {
      await app.kill();
      await target.close();
    });

    it('shortens a URL', async () => {
      const answer = await shorten(app, 'https://example.com/a?b=c#d');

      const link = (await answer.json()) as Shortened;
      expect(answer.status).toBe(201);
      expect(link.url).toBe('https://example.com/a?b=c#d');
      expect(link.shortUrl).toBe(`${app.url}/${link.slug}`);
    });

    it('redirects to the URL, and counts it', async () => {
      const { slug, url, shortUrl } = await shortenedBy(app, 'https://example.com/counted');

      for (let click = 1; click <= 3; click++) {
        const answer = await fetch(shortUrl, { redirect: 'manual' });
        expect(answer.status).toBe(302);
        expect(answer.headers.get('location')).toBe(url);
      }

      const answer = await fetch(`${app.url}/links/${slug}/stats`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ slug, url, clicks: 3, createdAt: expect.stringMatching(/^\d{4}-.*Z$/) });
    });

    it('gives every link a slug of its own', async () => {
      const links = await Promise.all(Array.from({ length: 20 }, () => shortenedBy(app, 'https://example.com/')));

      expect(new Set(links.map(({ slug }) => slug)).size).toBe(20);
    });

    it.each([
      ['no URL', undefined],
      ['an empty string', ''],
      ['a number', 42],
      ['null', null],
      ['an array', ['https://example.com/']],
      ['an object', { href: 'https://example.com/' }],
      ['words', 'not a url'],
      ['no host', 'https://'],
      ['a path', '/links'],
      ['javascript:', 'javascript:alert(1)'],
      ['file:', 'file:///etc/passwd'],
      ['ftp:', 'ftp://example.com/'],
      ['a missing //', 'https:example.com'],
      ['a line break', 'https://example.com/\r\nx-injected: 1'],
      ['an impossible port', 'https://example.com:99999/'],
      ['a URL that is too long', `https://example.com/${'a'.repeat(2_048)}`],
    ])('answers 400 to %s', async (_, url) => {
      expect((await shorten(app, url)).status).toBe(400);
    });

    it.each([
      ['no body', {}],
      ['a body that is no JSON', { body: '{', headers: { 'content-type': 'application/json' } }],
      ['plain text', { body: 'https://example.com/', headers: { 'content-type': 'text/plain' } }],
    ])('answers 400 to %s', async (_, init) => {
      expect((await fetch(`${app.url}/links`, { method: 'POST', ...init })).status).toBe(400);
    });

    it.each([
      ['GET', `/${UNKNOWN_SLUG}`],
      ['GET', '/no-slug-at-all'],
      ['GET', `/links/${UNKNOWN_SLUG}/stats`],
      ['GET', '/links/x/stats'],
      ['POST', `/links/${UNKNOWN_SLUG}/check`],
    ])('answers 404 to %s %s', async (method, path) => {
      expect((await fetch(app.url + path, { method, redirect: 'manual' })).status).toBe(404);
    });

    it('streams what happens, such as a client that is built for the first check', async () => {
      const { slug } = await shortenedBy(app, target.url);
      const snapshots = watch(app);
      expect((await next(snapshots))['linkChecker']).toMatchObject({ state: 'idle', events: [] });

      const checked = fetch(`${app.url}/links/${slug}/check`, { method: 'POST' });

      expect((await next(snapshots))['linkChecker']).toMatchObject({
        state: 'creating',
        events: [{ type: 'creating', times: 1 }],
      });
      const { linkChecker, redis, analytics } = await next(snapshots);
      expect(linkChecker).toMatchObject({ state: 'open', events: [{ type: 'creating' }, { type: 'created' }] });
      expect(redis!.events.map(({ type }) => type)).toContain('connected');
      expect(analytics).toEqual({ name: 'analytics', kind: 'redis', state: 'idle', consumers: [], events: [] });
      expect((await checked).status).toBe(200);
      await snapshots.return(undefined);
    });

    it("asks a link's target whether it answers", async () => {
      const { slug } = await shortenedBy(app, `${target.url}/page?q=1`);

      const answer = await fetch(`${app.url}/links/${slug}/check`, { method: 'POST' });

      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ slug, reachable: true, status: 200 });
      expect(target.requests.at(-1)).toMatchObject({ method: 'HEAD', path: '/page?q=1' });
    });

    it('says so when the target does not answer', async () => {
      const gone = new Target();
      await gone.start();
      const { slug } = await shortenedBy(app, gone.url);
      await gone.close();

      const answer = await fetch(`${app.url}/links/${slug}/check`, { method: 'POST' });

      expect(await answer.json()).toEqual({ slug, reachable: false });
    });

    it('shows that one Redis client serves many handlers, and that the client nobody uses is not built', async () => {
      const { redis, dynamodb, dynamodbDocument, linkChecker, analytics } = await clientsOf(app);

      expect(redis).toMatchObject({ kind: 'redis', state: 'open' });
      expect(redis!.consumers.toSorted()).toEqual(['ClickCounter', 'LinksCache', 'RedisThrottlerStorage']);
      expect(dynamodb).toMatchObject({ kind: 'dynamodb', state: 'open' });
      expect(dynamodbDocument).toMatchObject({ kind: 'dynamodb-document', state: 'open' });
      expect(linkChecker).toMatchObject({ kind: 'custom', state: 'open', consumers: [] });
      expect(analytics).toEqual({ name: 'analytics', kind: 'redis', state: 'idle', consumers: [] });
    });

    it('is healthy, with every client that is built up', async () => {
      const { status, clients } = await healthOf(app);

      expect(status).toBe(200);
      for (const name of ['redis', 'dynamodb', 'dynamodbDocument', 'linkChecker']) {
        expect(clients[name]).toMatchObject({ status: 'up' });
      }
      expect(clients['analytics']).toEqual({ status: 'idle' });
    });

    it('keeps the links of a workspace to it, with a Redis that is built when it is first used', async () => {
      expect((await clientsOf(app))['workspaces']).toEqual({
        name: 'workspaces',
        kind: 'keyed',
        state: 'idle',
        consumers: [],
      });
      const { slug, shortUrl } = await shortenedBy(app, 'https://example.com/', inWorkspace('team-a'));

      expect(await follow(shortUrl)).toBe(302); // as a browser, which names none
      expect(await follow(shortUrl, inWorkspace('team-a'))).toBe(302);
      expect(await follow(shortUrl, inWorkspace('team-b'))).toBe(404);
      expect(await clicksOf(app, slug, inWorkspace('team-a'))).toBe(2);
      expect(await clicksOf(app, slug, inWorkspace('team-b'))).toBe(404);
      expect(await clicksOf(app, slug)).toBe(404);
      expect((await clientsOf(app))['workspaces']).toMatchObject({
        state: 'open',
        members: [{ key: 'team-a', kind: 'redis', connection: 'connected', users: 0 }],
      });
    });

    it.each(['', 'Team A', 'a'.repeat(33), '__proto__'])('answers 400 to the workspace "%s"', async (name) => {
      const answer = await shorten(app, 'https://example.com/', inWorkspace(name));

      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        message: expect.stringContaining('small letters, digits and hyphens'),
      });
    });

    it('ends within a second on SIGTERM, with every client closed once', async () => {
      const exit = await app.signal('SIGTERM');

      expect(exit.signal ?? exit.code).toBe('SIGTERM');
      expect(exit.duration).toBeLessThan(1_000);
      expect(closed(app)).toEqual({ redis: 1, dynamodb: 1, dynamodbDocument: 1, linkChecker: 1, workspaces: 1 });
      expect(app.output.match(/Client "workspaces" \(key "team-a"\) closed/g)).toHaveLength(1);
      expect(app.output).not.toMatch(/ERROR|WARN/);
      expect(await refused(app)).toBe(true);
    });
  });

  describe('on shutdown', () => {
    const target = new Target();
    const agent = new Agent({ keepAlive: true });

    beforeAll(() => target.start());

    afterEach(() => Promise.all(apps.map((app) => app.kill())));

    afterAll(async () => {
      agent.destroy();
      await target.close();
    });

    it('answers the requests in flight, and does not wait for their keep-alive sockets', async () => {
      const app = await start();
      const { slug } = await shortenedBy(app, target.url);
      target.answering = false;
      const asked = target.asked();
      const checking = post(`${app.url}/links/${slug}/check`, agent);
      await asked;

      const exiting = app.signal('SIGTERM');
      while (!(await refused(app))); // until the server has begun to close
      const releasedAt = performance.now();
      target.requests.at(-1)!.response.end();

      expect((await checking).statusCode).toBe(200);
      await exiting;
      expect(performance.now() - releasedAt).toBeLessThan(1_000);
      expect(closed(app)).toEqual({ redis: 1, dynamodb: 1, dynamodbDocument: 1, linkChecker: 1 });
    });

    it('ends the event streams that are open', async () => {
      const app = await start();
      const streams = [watch(app), watch(app)];
      for (const stream of streams) await next(stream);

      expect((await app.signal('SIGTERM')).duration).toBeLessThan(1_000);

      for (const stream of streams) await drain(stream);
      expect(closed(app)).toEqual({ redis: 1, dynamodb: 1, dynamodbDocument: 1 });
    });

    /** A connection that has sent these bytes, and that the server has accepted: it has answered another one since. */
    const open = async (app: RunningApp, bytes: string): Promise<Socket> => {
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      await new Promise((written) => socket.write(bytes, written));
      await fetch(`${app.url}/clients`);
      return socket;
    };

    it('does not wait for a connection that has sent nothing', async () => {
      const app = await start();
      await open(app, '');

      expect((await app.signal('SIGTERM')).duration).toBeLessThan(1_000);
    });

    it('answers a request of which only a part had come', async () => {
      const app = await start();
      const socket = await open(app, 'GET /clients HTTP/1.1\r\nHost: a');
      const answer = text(socket);

      const exiting = app.signal('SIGTERM');
      while (!(await refused(app))); // until the server has begun to close
      socket.write('\r\n\r\n');

      expect(await answer).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/);
      await exiting;
      expect(app.output).not.toMatch(/ERROR|WARN/);
    });
  });

  describeWithRedis('on a real Redis', () => {
    it('shares one connection to it, and leaves none', async () => {
      await using redis = await startRedisServer();
      const app = await start({ REDIS_URL: redis.url });
      const { slug, shortUrl } = await shortenedBy(app, 'https://example.com/');
      await fetch(shortUrl, { redirect: 'manual' });
      const stats = await fetch(`${app.url}/links/${slug}/stats`);

      expect(await stats.json()).toMatchObject({ slug, clicks: 1 });
      expect((await clientsOf(app))['redis']!.consumers).toHaveLength(3);
      expect(await redis.clientCount()).toBe(1);

      expect((await app.signal('SIGTERM')).duration).toBeLessThan(1_000);
      expect(await redis.clientCount()).toBe(0);
      expect(closed(app)).toEqual({ redis: 1, dynamodb: 1, dynamodbDocument: 1 });
    });

    it('gives each workspace a connection and a prefix of its own in it, until nobody uses the workspace', async () => {
      await using redis = await startRedisServer();
      const app = await start({ REDIS_URL: redis.url });
      for (const name of ['team-a', 'team-b']) {
        const { slug, shortUrl } = await shortenedBy(app, 'https://example.com/', inWorkspace(name));
        await follow(shortUrl);

        expect(await clicksOf(app, slug, inWorkspace(name))).toBe(1);
        expect(await redis.command('GET', `workspace:${name}:clicks:${slug}`)).toBe('1');
      }
      expect(await redis.clientCount()).toBe(3);

      await redis.clients(1);

      expect((await clientsOf(app))['workspaces']).toMatchObject({ state: 'open', members: [] });
      await app.kill();
    });

    it('says in plain words that clicks cannot be read while Redis is down, and logs once that it is back', async () => {
      await using redis = await startRedisServer();
      const app = await start({ REDIS_URL: redis.url });
      const { slug } = await shortenedBy(app, 'https://example.com/');
      await redis.stop();

      const answer = await fetch(`${app.url}/links/${slug}/stats`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ message: 'The clicks cannot be read now: Redis does not answer.' });
      expect(app.output).not.toMatch(/Health Check has failed|ERROR/);

      await redis.restart();
      await app.waitFor(/Client "redis" connected again/);
      expect(await clicksOf(app, slug)).toBe(0);
      expect(app.output.match(/\[RedisThrottlerStorage\] This works again/g)).toHaveLength(1);
      await app.kill();
    });

    it('answers in time that it is not healthy while Redis does not answer', async () => {
      await using redis = await startRedisServer();
      const app = await start({ REDIS_URL: redis.url });
      expect(await healthOf(app)).toMatchObject({ status: 200, clients: { redis: { status: 'up' } } });

      redis.freeze();
      const { status, clients, duration } = await healthOf(app);
      redis.thaw();

      expect(status).toBe(503);
      expect(clients).toMatchObject({ redis: { status: 'down' }, dynamodb: { status: 'up' } });
      expect(duration).toBeLessThan(1_000);
      await app.kill();
    });

    it('caches links in it for a while', async () => {
      await using redis = await startRedisServer();
      const app = await start({ REDIS_URL: redis.url });
      const { slug, url, shortUrl } = await shortenedBy(app, 'https://example.com/');

      await fetch(shortUrl, { redirect: 'manual' });

      expect(JSON.parse(await redis.command('GET', `link:${slug}`))).toMatchObject({ slug, url });
      expect(Number(await redis.command('TTL', `link:${slug}`))).toBeGreaterThan(0);
      await app.kill();
    });
  });

  describe('configured by the environment', () => {
    afterEach(() => Promise.all(apps.map((app) => app.kill())));

    it('limits how often an address may ask', async () => {
      const app = await start({ RATE_LIMIT: '3' });

      const statuses: number[] = [];
      for (let request = 1; request <= 5; request++) statuses.push((await fetch(`${app.url}/clients`)).status);

      expect(statuses).toEqual([200, 200, 200, 429, 429]);
    });

    it('knows addresses and schemes behind a proxy only if it is told to trust one', async () => {
      const ask = (app: RunningApp, address: string) =>
        shorten(app, 'https://example.com/', {
          'x-forwarded-for': address,
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'go.example.com',
        });
      const trusting = await start({ RATE_LIMIT: '1', TRUST_PROXY: '1' });
      const wary = await start({ RATE_LIMIT: '1' });

      const first = (await (await ask(trusting, '203.0.113.1')).json()) as Shortened;
      expect(first.shortUrl).toBe(`https://go.example.com/${first.slug}`);
      expect((await ask(trusting, '203.0.113.2')).status).toBe(201);
      expect((await ask(trusting, '203.0.113.2')).status).toBe(429);

      const second = (await (await ask(wary, '203.0.113.1')).json()) as Shortened;
      expect(second.shortUrl).toBe(`${wary.url}/${second.slug}`);
      expect((await ask(wary, '203.0.113.2')).status).toBe(429);
    });

    it('begins short links with PUBLIC_URL', async () => {
      const app = await start({ PUBLIC_URL: 'https://go.example.com/s/' });

      const { slug, shortUrl } = await shortenedBy(app, 'https://example.com/');

      expect(shortUrl).toBe(`https://go.example.com/s/${slug}`);
    });

    it('publishes metrics of its clients if METRICS is set', async () => {
      const app = await start({ METRICS: '1', OTEL_METRIC_EXPORT_INTERVAL: '100' });

      for (const name of ['create.duration', 'state', 'consumers']) {
        await app.waitFor(new RegExp(`nestjs\\.client\\.${name}`));
      }
      expect((await app.signal('SIGTERM')).duration).toBeLessThan(1_000);
    });

    it.each([
      ['REDIS_URL', 'http://user:s3cret@localhost'],
      ['DYNAMODB_ENDPOINT', 'localhost s3cret'],
      ['METRICS', 's3cret'],
    ])('refuses to start on a wrong %s, which it does not repeat', async (name, value) => {
      const failure = await start({ [name]: value }).catch(String);

      expect(failure).toContain(`${name} must be`);
      expect(failure).not.toContain('s3cret');
    });

    it.each(['http', '-1', '65536', '3000.5'])('refuses to start on PORT=%s', async (port) => {
      await expect(start({ PORT: port })).rejects.toThrow(`PORT must be an integer from 0 to 65535, not "${port}"`);
    });

    it('serves links without Redis, limits nobody, and says so once, and in its health', async () => {
      const testing = await import('nestjs-clients/testing');
      const redis = await testing.startRedisServer();
      const app = await start({ REDIS_URL: redis.url, RATE_LIMIT: '3' });
      const { shortUrl, url } = await shortenedBy(app, 'https://example.com/');

      await redis.close();
      for (let click = 1; click <= 4; click++) {
        const answer = await fetch(shortUrl, { redirect: 'manual' });
        expect([answer.status, answer.headers.get('location')]).toEqual([302, url]);
      }

      expect(app.output.match(/Nobody is limited/g)).toHaveLength(1);
      expect(await healthOf(app)).toMatchObject({
        status: 503,
        clients: { redis: { status: 'down' }, dynamodb: { status: 'up' }, linkChecker: { status: 'idle' } },
      });
    });
  });
});

function post(url: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { method: 'POST', agent }, (answer) => resolve(answer.resume())).on('error', reject);
  });
}
