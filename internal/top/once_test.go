package top

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// picture is the shop as --once has it.
func picture() Picture {
	m := meter{}.take(shop())
	at := start().Add(2 * time.Second)
	return newPicture(later(), m.take(later()), at)
}

func TestOnceAsText(t *testing.T) {
	for name, opt := range map[string]Options{
		"once.txt": {}, "once-by-cpu.txt": {Sort: "CPU%"}, "once-unhealthy.txt": {Unhealthy: true}, "once-filtered.txt": {Filter: "cron"},
	} {
		var out bytes.Buffer
		if err := picture().Select(opt).WriteText(&out); err != nil {
			t.Fatal(err)
		}
		compareGolden(t, name, out.String())
	}
}

func TestOnceForPrograms(t *testing.T) {
	var out bytes.Buffer
	if err := picture().Select(Options{}).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "once.json", out.String())
	var back Picture
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
}

func TestOnceTakesAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		since := time.Now()
		got, err := Once(t.Context(), &fakeSource{status: []supervisor.Snapshot{shop(), later()}}, 2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if cpu := got.Pools[0].Workers[0].CPU; cpu == nil || *cpu < 94 || *cpu > 96 {
			t.Errorf("the share is %v", cpu)
		}
		if d := time.Since(since); d != 2*time.Second {
			t.Errorf("it took %s", d)
		}
	})
}

func TestOnceWithoutMeasurements(t *testing.T) {
	snap := shop()
	for i := range snap.Pools {
		for j := range snap.Pools[i].Workers {
			snap.Pools[i].Workers[j].Usage = nil
		}
	}
	synctest.Test(t, func(t *testing.T) {
		since := time.Now()
		if _, err := Once(t.Context(), &fakeSource{status: []supervisor.Snapshot{snap}}, time.Hour); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(since); d != 0 {
			t.Errorf("it waited %s for nothing", d)
		}
	})
}

func TestOnceWithoutSupervisor(t *testing.T) {
	if _, err := Once(context.Background(), &fakeSource{err: errRefused}, time.Second); !errors.Is(err, errRefused) {
		t.Errorf("%v", err)
	}
}
