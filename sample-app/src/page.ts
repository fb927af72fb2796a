import type { NestExpressApplication } from '@nestjs/platform-express';
import { fileURLToPath } from 'node:url';

/** The same from `src` and from `dist`, and wherever the process was started. */
const PUBLIC = fileURLToPath(new URL('../public', import.meta.url));

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Serves the page at `/`. It may run its own script, use its own style sheet, ask this server, and nothing else. */
export function servePage(app: NestExpressApplication): void {
  app.useStaticAssets(PUBLIC, { setHeaders: (response) => void response.set(HEADERS) });
}
