// What configurations import from @lactoserv/built-ins. Applications are told apart by their class.
export class StaticFiles {}
