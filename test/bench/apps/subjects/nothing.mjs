/** The service without any client. */
export const declare = () => ({});
