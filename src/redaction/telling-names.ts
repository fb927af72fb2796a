/** Names of credentials in options and in errors. */
export const TELLING_NAME =
  /pass|pwd|secret|token|credential|auth(?!or(?!i)|_?source|_?mech|_?type|_?db)|private|cookie|(?:api|access|account|encryption|master|shared|signing|subscription)[-_]?key|^(key|cert|ca|pfx)$/i;
/** Stricter, for injected values, which are not an SDK's options: the name must end like this. */
export const CERTAIN_NAME =
  /(pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|(?:api|access|account|encryption|master|private|secret|shared|signing|subscription)[-_]?key([-_]?id)?)$/i;
export const USER_NAME = /user(_?name)?$/i;
