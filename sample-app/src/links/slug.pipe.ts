import { Injectable, NotFoundException, type PipeTransform } from '@nestjs/common';

/** Of nanoid's 64 characters: 2^48 slugs. */
export const SLUG_LENGTH = 8;

const SLUG = new RegExp(`^[\\w-]{${SLUG_LENGTH}}$`);

/** Answers 404 to what cannot be a slug, without asking a server. */
@Injectable()
export class SlugPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!SLUG.test(value)) throw new NotFoundException('There is no such link.');
    return value;
  }
}
