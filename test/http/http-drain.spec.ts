import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DrainApp } from '../support/drain-app.js';
import { requestTo } from '../support/raw-connection.js';

describe('x', () => {
  it.each(['Express', 'Fastify'] as const)('%s', async (platform) => {
    const app = await DrainApp.start({ platform, drain: { timeout: 1500 } });
    const silent = await app.connect();
    const idle = await app.connectAndAsk();
    const busy = await app.connectAndAsk();
    await busy.sendRequest('/held?token=a');
    const piped = await app.connect();
    await piped.send(requestTo('/held') + requestTo('/hello'));
    const half = await app.connect();
    await half.send('GET /hello HTTP/1.1\r\nHos');
    const events = await app.connect();
    await events.sendRequest('/events?secret=1');
    await events.until(/begun/);
    await app.untilHeld(2);
    const closing = app.close();
    for (const [name, c] of Object.entries({ silent, idle, busy, piped, half, events })) {
      const at = performance.now();
      void c.ended.then(() => console.log(platform, name, Math.round(performance.now() - at), c.statuses, c.connectionHeaders));
    }
    await delay(300);
    await half.send('t: a\r\n\r\n');
    app.release.resolve();
    console.log(await closing, app.lines, app.journal.entries);
    expect(1).toBe(1);
  });
});
