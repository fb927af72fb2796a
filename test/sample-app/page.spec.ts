import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeWithRedis, freePort, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { chromiumIsMissing, openBrowser } from './browser.js';
import { measureContrast, measureTargets } from './page-measures.js';
import { RunningApp } from './running-app.js';
import { Target } from './target.js';

/** Of the browser. */
declare function getComputedStyle(element: unknown, part: string): { backgroundColor: string };

const PHONE = { width: 375, height: 812 };
const DESKTOP = { width: 1280, height: 720 };
const CLIENTS = ['linkChecker', 'workspaces', 'analytics', 'redis', 'dynamodb', 'dynamodbDocument'];

if (chromiumIsMissing) console.warn('The page of the sample app is not tested: Chromium is not installed.');

describe.skipIf(chromiumIsMissing)('the page of the sample app', () => {
  const target = new Target();
  let browser: Browser;
  let visitor: BrowserContext;
  let app: RunningApp;
  let page: Page;
  /** What the browser complains about. */
  let complaints: string[];

  beforeAll(async () => {
    await target.start();
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await target.close();
  });

  async function visit(env?: Record<string, string>): Promise<void> {
    app = await RunningApp.start(env);
    complaints = [];
    visitor = await browser.newContext({ viewport: DESKTOP });
    visitor.setDefaultTimeout(10_000);
    page = await visitor.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(app.url);
    await live();
  }

  async function leave(): Promise<void> {
    target.answering = true;
    await visitor?.close();
    await app?.kill();
  }

  const live = (): Promise<void> => page.getByText('Live', { exact: true }).waitFor();
  const card = (client: string): Locator => page.getByRole('article', { name: client, exact: true });
  /** Its place in the overview, which only narrow screens show. */
  const glance = (client: string): Locator => page.locator('nav a').filter({ hasText: new RegExp(`^${client}$`) });
  const stateOf = (client: string): Promise<string | null> => card(client).locator('summary .state').textContent();
  const banner = (): Locator => page.getByText('The server is gone.');

  /** The colour of the dot beside the state. */
  const colorOf = (place: Locator): Promise<string> =>
    place.evaluate((element) => getComputedStyle(element, '::before').backgroundColor);
  const dotOf = (client: string): Promise<string> => colorOf(card(client).locator('summary .state'));

  async function settle(client: string, words: string): Promise<void> {
    await card(client).locator('.badge').getByText(words, { exact: true }).waitFor();
  }

  async function shorten(url: string, workspace = ''): Promise<void> {
    await page.getByRole('textbox', { name: 'Workspace' }).fill(workspace);
    await page.getByRole('textbox', { name: 'URL' }).fill(url);
    await page.getByRole('button', { name: 'Shorten' }).click();
    await page.getByRole('listitem').getByText(url).waitFor();
  }

  async function expectLegible(): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const texts = await measureContrast(page);
      expect(texts.length).toBeGreaterThan(20);
      expect(texts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    }
  }

  describe('on servers of its own', () => {
    beforeEach(() => visit());

    afterEach(leave);

    it('shortens a link, which leads to its target and is counted', async () => {
      await shorten(`${target.url}/page?q=1`);
      const opened = visitor.waitForEvent('page');
      await page.getByRole('link', { name: 'Follow' }).click();
      const tab = await opened;
      await tab.waitForURL(`${target.url}/page?q=1`);
      await tab.close();

      await page.getByRole('button', { name: 'Stats' }).click();

      await page.getByText('1 click', { exact: true }).waitFor();
      expect(complaints).toEqual([]);
    });

    it('shows who shares each client, and, unfolded, when it was built and what happened to it', async () => {
      await settle('redis', 'connected');
      const folded = await card('redis').innerText();
      await card('redis').locator('summary').click();

      const redis = await card('redis').innerText();

      for (const consumer of ['RedisThrottlerStorage', 'LinksCache', 'ClickCounter'])
        expect(folded).toContain(consumer);
      expect(folded).not.toContain('creating');
      expect(redis).toMatch(/Built\s+\d\d:\d\d:\d\d in [\d.]+\sms/);
      expect(redis).toMatch(/Last error\s+none/);
      expect(redis).toMatch(/creating\s+for \w+/);
      expect(await stateOf('redis')).toBe('open');
      expect(complaints).toEqual([]);
    });

    it('shows a client come alive when the first request uses it, while the unused one stays idle', async () => {
      await shorten(target.url);
      await settle('redis', 'healthy');
      expect(await stateOf('linkChecker')).toBe('idle');
      expect(await dotOf('linkChecker')).not.toBe(await dotOf('redis'));

      await page.getByRole('button', { name: 'Check' }).click();

      await settle('linkChecker', 'healthy');
      expect(await stateOf('linkChecker')).toBe('open');
      expect(await dotOf('linkChecker')).toBe(await dotOf('redis'));
      await page.getByText('The target answers 200').waitFor();
      expect(await stateOf('analytics')).toBe('idle');
      expect(complaints).toEqual([]);
    });

    it('shows the client of a workspace come with the first use, go when it is idle, and come again', async () => {
      await shorten(target.url, 'team-a');
      const member = card('workspaces')
        .getByRole('listitem')
        .filter({ hasText: 'team-a' })
        .filter({ hasText: 'in use' });
      expect(await stateOf('workspaces')).toBe('idle');

      await page.getByRole('button', { name: 'Stats' }).click();
      await page.getByText('0 clicks').waitFor();

      await member.getByText('connected', { exact: true }).waitFor();
      await member.getByText('not in use').waitFor();
      await member.waitFor({ state: 'detached', timeout: 20_000 });
      await page.getByRole('button', { name: 'Stats' }).click();
      await member.getByText('connected', { exact: true }).waitFor();
      expect(complaints).toEqual([]);
    });

    it('shows as text what looks like HTML', async () => {
      const url = `${target.url}/<img/src=x/onerror=alert(1)>`;

      await shorten(url);

      expect(await page.locator('img').count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    it('says why a link is refused', async () => {
      await page.getByRole('textbox', { name: 'URL' }).fill('ftp://example.com/');
      await page.getByRole('button', { name: 'Shorten' }).click();

      await page.getByRole('alert').getByText('must be').waitFor();
      expect(await page.locator('#problem').textContent()).toBe('"url" must be an http(s) URL.');
    });

    it('shows every client, used or not, without scrolling', async () => {
      await shorten(target.url);

      for (const client of CLIENTS) {
        expect(await card(client).boundingBox()).toSatisfy(({ y, height }) => y + height <= DESKTOP.height);
      }
      await page.setViewportSize(PHONE);
      for (const client of CLIENTS) {
        expect(await glance(client).boundingBox()).toSatisfy(({ y, height }) => y + height <= PHONE.height);
      }
      expect(complaints).toEqual([]);
    });

    it('fits on a phone, and has targets that a thumb can hit there', async () => {
      await page.setViewportSize(PHONE);
      await shorten(`${target.url}/${'a-long-path-'.repeat(20)}`);

      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByText('The target answers 200').waitFor();

      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
      const targets = await measureTargets(page);
      expect(targets.length).toBeGreaterThan(15);
      expect(targets.filter(({ width, height }) => width < 44 || height < 44)).toEqual([]);
    });

    it('marks the focus with a colour that is not that of errors', async () => {
      await page.getByRole('textbox', { name: 'URL' }).focus();

      const colors = await page.evaluate<{ focus: string; error: string }>(
        `({
          focus: getComputedStyle(document.activeElement).outlineColor,
          error: getComputedStyle(document.querySelector('.error')).color,
        })`,
      );

      const [red, , blue] = colors.focus.match(/\d+/g)!.map(Number);
      expect(colors.focus).not.toBe(colors.error);
      expect(blue).toBeGreaterThan(red!);
    });

    it('is legible on light and dark screens', async () => {
      await shorten(target.url, 'team-a');
      await page.getByRole('button', { name: 'Stats' }).click();
      await page.getByText('0 clicks').waitFor();
      for (const client of CLIENTS) await card(client).locator('summary').click();

      await expectLegible();
    });
  });

  describeWithRedis('through an outage of Redis', () => {
    let redis: RedisServer;

    beforeEach(async () => {
      redis = await startRedisServer();
      await visit({ REDIS_URL: redis.url });
    });

    afterEach(async () => {
      await leave();
      await redis.close();
    });

    it('is green only while it can be used, says what is wrong, and takes that back', async () => {
      await shorten(target.url, 'team-a');
      await page.getByRole('button', { name: 'Stats' }).click();
      await page.getByText('0 clicks').waitFor();
      await settle('redis', 'healthy');
      await settle('workspaces', 'healthy');
      const green = await dotOf('redis');
      expect(await colorOf(glance('redis'))).toBe(green);

      await redis.stop();

      await settle('redis', 'no connection');
      await settle('redis', 'unhealthy');
      for (const place of [card('redis').locator('summary .state'), glance('redis')]) {
        expect(await colorOf(place)).not.toBe(green);
      }
      await card('redis').getByText('It is tried again until it is back.').waitFor();
      await card('workspaces').getByText('No connection: team-a.').waitFor();
      expect(await dotOf('workspaces')).not.toBe(green);
      expect(await dotOf('dynamodb')).toBe(green);
      await page.getByRole('button', { name: 'Stats' }).click();
      await page.getByText('The clicks cannot be read now: Redis does not answer.').waitFor();
      await expectLegible();
      await page.emulateMedia({ colorScheme: 'light' });

      await redis.restart();

      await settle('redis', 'healthy');
      await settle('redis', 'connected');
      expect(await dotOf('redis')).toBe(green);
      expect(await colorOf(glance('redis'))).toBe(green);
      expect(await card('redis').locator('.error').textContent()).toBe('');
      await page.getByText('The clicks cannot be read now').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Stats' }).click();
      await page.getByText('0 clicks').waitFor();
    });

    it('says so when it is connected but does not answer', async () => {
      await settle('redis', 'healthy');
      const green = await dotOf('redis');

      redis.freeze();
      await settle('redis', 'unhealthy');
      await card('redis').getByText('It does not answer.').waitFor();
      expect(await stateOf('redis')).toBe('open');
      expect(await dotOf('redis')).not.toBe(green);

      redis.thaw();
      await settle('redis', 'healthy');
      expect(await dotOf('redis')).toBe(green);
    });
  });

  describe('through an outage of the server', () => {
    let env: { PORT: string };

    beforeEach(async () => {
      env = { PORT: String(await freePort()) };
      await visit(env);
    });

    afterEach(leave);

    it('does not delay its end, says that it is gone at every width, and recovers', async () => {
      await shorten(target.url);
      await settle('redis', 'healthy');
      const green = await dotOf('redis');

      expect((await app.signal('SIGTERM')).duration).toBeLessThan(1_000);

      await banner().waitFor();
      for (const width of [320, 375, 768, 1_280]) {
        await page.setViewportSize({ width, height: 700 });
        await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
        expect(await banner().boundingBox()).toSatisfy(({ y, height }) => y >= 0 && y + height <= 700);
        for (const client of CLIENTS) {
          expect(await dotOf(client)).not.toBe(green);
          expect(await colorOf(glance(client))).not.toBe(green);
        }
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      }
      expect(await stateOf('redis')).toBe('was open');
      for (const button of await page.getByRole('button').all()) expect(await button.isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'Server is gone' }).waitFor();
      expect(await page.title()).toContain('Server gone');
      await expectLegible();
      await page.emulateMedia({ colorScheme: 'light' });

      app = await RunningApp.start(env);

      await live();
      await banner().waitFor({ state: 'detached' });
      await settle('redis', 'healthy');
      expect(await dotOf('redis')).toBe(green);
      await shorten(`${target.url}/again`);
    });

    it('says in plain words that a request got no answer, until the server is back', async () => {
      await shorten(target.url);
      target.answering = false;
      const asked = target.asked();
      await page.getByRole('button', { name: 'Check' }).click();
      await asked;

      await app.kill();

      const problem = page.getByText('The server did not answer. Try again when it is back.');
      await problem.waitFor();
      app = await RunningApp.start(env);
      await live();
      await problem.waitFor({ state: 'detached' });
      expect(await page.locator('.bad').filter({ hasText: /./ }).count()).toBe(0);
    });

    it('notices a server that hangs, whose connections stay open', async () => {
      app.freeze();
      await banner().waitFor();
      expect(await page.getByRole('button', { name: 'Server is gone' }).isDisabled()).toBe(true);

      app.thaw();
      await live();
      expect(await banner().count()).toBe(0);
      expect(await page.getByRole('button', { name: 'Shorten' }).isEnabled()).toBe(true);
    });
  });
});
