import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromiumIsMissing, openBrowser } from './browser.js';
import { RunningApp } from './running-app.js';
import { Target } from './target.js';

const PHONE = { width: 375, height: 812 };

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

  beforeEach(async () => {
    app = await RunningApp.start();
    complaints = [];
    visitor = await browser.newContext();
    visitor.setDefaultTimeout(10_000);
    page = await visitor.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(app.url);
    await page.getByText('Live').waitFor();
  });

  afterEach(async () => {
    await visitor?.close();
    await app?.kill();
  });

  const card = (client: string): Locator => page.getByRole('article', { name: client });
  const stateOf = (client: string): Promise<string | null> => card(client).locator('.state').textContent();

  async function shorten(url: string): Promise<void> {
    await page.getByLabel('URL').fill(url);
    await page.getByRole('button', { name: 'Shorten' }).click();
  }

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

  it('shows each client: when it was built, in how many milliseconds, who shares it, what happened to it', async () => {
    await card('redis').getByText('connected').waitFor();

    const redis = await card('redis').innerText();

    expect(redis).toMatch(/Built\s+\d\d:\d\d:\d\d in [\d.]+\sms/);
    for (const consumer of ['RedisThrottlerStorage', 'LinksCache', 'ClickCounter']) expect(redis).toContain(consumer);
    expect(redis).toMatch(/Last error\s+none/);
    expect(redis).toMatch(/creating\s+for \w+/);
    expect(await stateOf('redis')).toBe('open');
    expect(complaints).toEqual([]);
  });

  it('shows a client come alive when the first request uses it, while the unused one stays idle', async () => {
    await shorten(target.url);
    expect(await stateOf('linkChecker')).toBe('idle');
    expect(await card('linkChecker').getByRole('listitem').count()).toBe(0);

    await page.getByRole('button', { name: 'Check' }).click();

    await card('linkChecker').getByText('created').waitFor();
    expect(await stateOf('linkChecker')).toBe('open');
    await page.getByText('The target answers 200').waitFor();
    expect(await stateOf('analytics')).toBe('idle');
    expect(complaints).toEqual([]);
  });

  it('shows as text what looks like HTML', async () => {
    const url = `${target.url}/<img/src=x/onerror=alert(1)>`;

    await shorten(url);

    await page.getByText(url).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('says why a link is refused', async () => {
    await shorten('ftp://example.com/');

    const alert = page.getByRole('alert').filter({ hasText: /./ });
    expect(await alert.textContent()).toBe('"url" must be an http(s) URL.');
  });

  it('says that it is not live any more when the app ends, which it does not delay', async () => {
    expect((await app.signal('SIGTERM')).duration).toBeLessThan(1_000);

    await page.getByText('Reconnecting').waitFor();
  });

  it('fits on a phone, and shows every client beside the buttons there', async () => {
    await page.setViewportSize(PHONE);
    await shorten(`${target.url}/${'a-long-path-'.repeat(20)}`);

    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('The target answers 200').waitFor();

    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
    const overview = page.getByRole('navigation', { name: 'Clients' }).getByRole('link', { name: 'linkChecker' });
    expect(await overview.boundingBox()).toSatisfy(({ y, height }) => y + height <= PHONE.height);
    expect(complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('is legible on a %s screen', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });

    const { text, ground } = await page.evaluate<{ text: string; ground: string }>(
      '(({ color, backgroundColor }) => ({ text: color, ground: backgroundColor }))(getComputedStyle(document.body))',
    );

    expect(contrast(text, ground)).toBeGreaterThan(7);
  });
});

/** WCAG 2: from 1, none, to 21, black on white. */
function contrast(...colors: [string, string]): number {
  const [darker, lighter] = colors.map(luminance).toSorted((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = color.match(/\d+/g)!.map((channel) => {
    const value = Number(channel) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
