import { Injectable, NotFoundException, type PipeTransform } from '@nestjs/common';
import { isSlug } from './slug.js';

/** Answers 404 to what cannot be a slug, without asking a server. */
@Injectable()
export class SlugPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isSlug(value)) throw new NotFoundException('There is no such link.');
    return value;
  }
}
