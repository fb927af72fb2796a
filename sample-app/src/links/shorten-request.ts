import { z } from 'zod';

const MAX_LENGTH = 2_048;
const NOT_HTTP = '"url" must be an http(s) URL.';

/** The body of `POST /links`. The URL stays as it was sent. */
export const shortenRequest = z.object(
  {
    url: z
      .string('"url" must be a string.')
      .max(MAX_LENGTH, `"url" is longer than ${MAX_LENGTH} characters.`)
      // URL.canParse() forgives much: a missing "//", backslashes, line breaks.
      .regex(/^https?:\/\/[^\s\\]+$/i, NOT_HTTP)
      .refine((url) => URL.canParse(url), NOT_HTTP),
  },
  'Send JSON: { "url": "https://example.com/" }.',
);

export type ShortenRequest = z.infer<typeof shortenRequest>;
