package metrics

// families are all metrics about brood's own work.
type families struct {
	build, state, started                   family
	reloads, reloadWell, loaded, logDropped family

	poolState, desired, ready, workers, generation, deaths, restarts family
	rollout, progress, repairs, pressure, least, most, unmet         family

	placesHeld, placesWaiting, placesLost, placesDeadline family

	poolReloads, reloadTime, queue, capacity, drops family

	slotWorkers, slotReady, slotRestarts, workerID, workerStarted family
	cpu, memory, memoryPeak, processes, fds                       family
	slotQueue, slotCapacity, connections, requests                family
	logLines, logBytes, logLost                                   family
}

func newFamilies(c *catalogue) families {
	return families{
		build:   c.gauge("brood_build_info", "Version of brood, and of the Go that built it; always 1.", "goversion", "version"),
		state:   c.gauge("brood_supervisor_state", "1 for the state that the supervisor is in, 0 for the others.", "state"),
		started: c.gauge("brood_supervisor_start_time_seconds", "When the supervisor started, in seconds since 1970."),

		reloads:    c.counter("brood_config_reloads_total", "Reloads of the configuration, by their result.", "result"),
		reloadWell: c.gauge("brood_config_last_reload_successful", "0 if the last reload of the configuration failed, else 1."),
		loaded:     c.gauge("brood_config_loaded_timestamp_seconds", "When the configuration that holds was read, in seconds since 1970."),
		logDropped: c.counter("brood_log_dropped_bytes_total", "Output of brood and its workers that nobody took, and that was dropped."),

		poolState:  c.gauge("brood_pool_state", "1 for the state that the pool is in, 0 for the others.", "pool", "state"),
		desired:    c.gauge("brood_pool_desired_slots", "How many workers the pool is to have.", "pool"),
		ready:      c.gauge("brood_pool_ready_slots", "How many slots have a ready worker.", "pool"),
		workers:    c.gauge("brood_pool_workers", "How many workers are in each state.", "pool", "state"),
		generation: c.gauge("brood_pool_generation", "Generation of the pool: it grows with each rollout that succeeds.", "pool"),
		deaths:     c.counter("brood_pool_deaths_total", "Workers that died, by cause.", "cause", "pool"),
		restarts:   c.counter("brood_pool_restarts_total", "Workers that were started in the place of one that died unasked.", "pool"),
		rollout:    c.gauge("brood_pool_rollout_state", "1 for the state of the rollout at hand or the last one, 0 for the others.", "pool", "state"),
		progress:   c.gauge("brood_pool_rollout_progress_ratio", "Part of the slots that a ready worker of the wanted generation serves.", "pool"),
		repairs:    c.counter("brood_pool_socket_repairs_total", "Sockets put back that workers had spoiled for others, by what was wrong.", "kind", "pool"),
		pressure: c.gauge("brood_pool_pressure_ratio", "Part of the time in which some or all processes of the pool waited for a resource.",
			"pool", "resource", "scope", "window"),
		least: c.gauge("brood_pool_autoscale_min_slots", "The least number of workers, where it follows the load.", "pool"),
		most:  c.gauge("brood_pool_autoscale_max_slots", "The greatest number of workers, where it follows the load.", "pool"),
		unmet: c.gauge("brood_pool_unmet_requirements", "How many of the things that the pool requires were found missing.", "pool"),

		placesHeld:     c.gauge("brood_places_held", "Worker ids, and the leader's place, that the pool has of those that supervisors share.", "pool"),
		placesWaiting:  c.gauge("brood_places_waiting", "How many more worker ids the pool waits for.", "pool"),
		placesLost:     c.gauge("brood_places_lost", "Workers that serve on though the claims to their ids are lost.", "pool"),
		placesDeadline: c.gauge("brood_lease_deadline_seconds", "In how many seconds what is shared must not be used any more, unless it is renewed.", "pool"),

		poolReloads: c.counter("brood_pool_reloads_total", "Reloads that the workers of the pool were told of, by signal or by a rollout, by their result.",
			"pool", "result"),
		reloadTime: c.gauge("brood_pool_last_reload_duration_seconds", "How long the last reload of the pool took that went well.", "pool"),
		queue:      c.gauge("brood_listener_queue_connections", "Connections that wait to be accepted, in all sockets of the listener.", "listener", "pool"),
		capacity:   c.gauge("brood_listener_queue_capacity_connections", "How many connections may wait.", "listener", "pool"),
		drops: c.counter("brood_listener_queue_drops_total",
			"Packets that asked for a connection in vain because a queue was full, since the sockets were opened.", "listener", "pool"),

		slotWorkers:   c.gauge("brood_slot_workers", "Workers of the slot in this state; states without one are left out.", "pool", "slot", "state"),
		slotReady:     c.gauge("brood_slot_ready", "1 if the slot has a ready worker, else 0.", "pool", "slot"),
		slotRestarts:  c.counter("brood_slot_restarts_total", "Workers of the slot that were started in the place of one that died unasked.", "pool", "slot"),
		workerID:      c.gauge("brood_slot_worker_id", "Worker id that is in use in the slot.", "pool", "slot"),
		workerStarted: c.gauge("brood_slot_worker_start_time_seconds", "When the worker of the slot started, in seconds since 1970.", "pool", "slot"),
		cpu:           c.counter("brood_slot_cpu_seconds_total", "CPU time of the workers that the slot has now.", "pool", "slot"),
		memory:        c.gauge("brood_slot_memory_bytes", "Memory of the workers of the slot, with the files that they cache.", "pool", "slot"),
		memoryPeak:    c.gauge("brood_slot_memory_peak_bytes", "The most memory that the workers of the slot have had.", "pool", "slot"),
		processes:     c.gauge("brood_slot_processes", "Processes of the slot.", "pool", "slot"),
		fds:           c.gauge("brood_slot_open_fds", "Descriptors that the processes of the slot have open.", "pool", "slot"),
		slotQueue:     c.gauge("brood_slot_queue_connections", "Connections that wait to be accepted by the workers of the slot.", "pool", "slot"),
		slotCapacity:  c.gauge("brood_slot_queue_capacity_connections", "How many connections may wait for the workers of the slot.", "pool", "slot"),
		logLines:      c.counter("brood_slot_log_lines_total", "Lines that the workers of the slot wrote; not with mode inherit.", "pool", "slot"),
		logBytes:      c.counter("brood_slot_log_bytes_total", "Bytes that the workers of the slot wrote; not with mode inherit.", "pool", "slot"),
		logLost:       c.counter("brood_slot_log_dropped_lines_total", "Lines of the workers of the slot that did not get where they should.", "pool", "slot"),
		connections:   c.gauge("brood_slot_connections", "Connections that the workers of the slot have open.", "pool", "slot"),
		requests:      c.counter("brood_slot_requests_total", "Requests that the workers of the slot said they served.", "pool", "slot"),
	}
}
