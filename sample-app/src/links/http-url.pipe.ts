import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

const MAX_LENGTH = 2_048;

/** Lets http(s) URLs pass, as they were sent. */
@Injectable()
export class HttpUrlPipe implements PipeTransform<unknown, string> {
  transform(value: unknown): string {
    if (typeof value !== 'string') throw new BadRequestException('"url" must be a string.');
    if (value.length > MAX_LENGTH) throw new BadRequestException(`"url" is longer than ${MAX_LENGTH} characters.`);
    // URL.canParse() forgives much: a missing "//", backslashes, line breaks.
    if (!/^https?:\/\/[^\s\\]+$/i.test(value) || !URL.canParse(value)) {
      throw new BadRequestException('"url" must be an http(s) URL.');
    }
    return value;
  }
}
