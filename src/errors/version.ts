/** The version of this copy of the package. A test compares it with package.json, which nothing reads at run time. */
export const VERSION = '0.2.0';
