export interface Link {
  slug: string;
  url: string;
  /** ISO 8601. */
  createdAt: string;
}
