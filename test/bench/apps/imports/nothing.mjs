/** What an import costs that imports nothing. */
