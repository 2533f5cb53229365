// The packages of Lactoserv are found from wherever a configuration lies.
export function resolve(name, context, next) {
  return name === '@lactoserv/built-ins' ? { url: new URL('built-ins.mjs', import.meta.url).href, shortCircuit: true } : next(name, context);
}
