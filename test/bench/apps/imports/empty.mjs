/** Nothing at all: what import() itself takes. */
