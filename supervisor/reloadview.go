package supervisor

import "time"

// reloadIs notes how far the reload at hand is, beside what is known of it.
func (s *Supervisor) reloadIs(state string) {
	v := ReloadView{}
	if s.config.Reload != nil {
		v = *s.config.Reload // readers may have the old one
	}
	v.State = state
	s.reloadBecomes(v)
}

// reloadBecomes notes how the reload at hand, or the last one, stands.
func (s *Supervisor) reloadBecomes(v ReloadView) {
	s.config.Reload = &v
	s.tellReload()
}

// reloadDone notes a success for the status.
func (s *Supervisor) reloadDone() time.Time {
	now := time.Now()
	s.config.Reloads++
	s.reloadBecomes(ReloadView{State: reloadIsDone, At: now})
	return now
}

// reloadFailed notes a failure for the status.
func (s *Supervisor) reloadFailed(v Verdict) {
	s.config.Failures++
	s.reloadBecomes(ReloadView{State: reloadFailed, At: time.Now(), Error: v.Err.Error(), Lines: v.Lines})
}
