// Package webui is the dashboard: a page for browsers, in the binary, that shows the supervisor as the control API tells of
// it, and asks that API for what somebody clicks.
//
// # Promise
//
// Whoever can connect may look, as at metrics. What workers wrote, and everything that changes something, is for those who
// enter a token; without a configured token nobody can. The page loads nothing from elsewhere, and a browser that shows it
// runs no script but ours (see [headers]). A page of another site can neither read nor ask anything here, also not one whose
// name was made to lead to this machine (see [hosts]).
//
// Texts of workers and names from the configuration are put into the page as text, never as markup. The token is kept in the
// memory of its tab, and nowhere in an address.
//
// Nothing ticks while nobody has the page open, or while it is in the background.
//
// # Concurrency
//
// The handlers may be used from any goroutine.
package webui
