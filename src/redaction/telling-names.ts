/** Names under which credentials stand, in options and in errors. */
export const TELLING_NAME =
  /pass|pwd|secret|token|credential|auth(?!or(?!i)|_?source|_?mech|_?type|_?db)|private|cookie|(?:api|access|account|encryption|master|shared|signing|subscription)[-_]?key|^(key|cert|ca|pfx)$/i;
/** In values that are injected, which are not an SDK's options, only a name that ends so tells a secret. */
export const CERTAIN_NAME =
  /(pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|(?:api|access|account|encryption|master|private|secret|shared|signing|subscription)[-_]?key([-_]?id)?)$/i;
export const USER_NAME = /user(_?name)?$/i;
