/** What an import costs that imports nothing. */
export const nothing = true;
