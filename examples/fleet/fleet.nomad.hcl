# One brood on each node that Nomad has, as the DaemonSet has one on each node of Kubernetes. Nomad 1.7 or later.
job "fleet" {
  type = "system"

  update {
    max_parallel = 1
    stagger      = "1m" # older servers wait that long between two nodes; newer ones for the checks
  }

  group "app" {
    network {
      port "http" {
        static = 8080
      }
      port "probes" {
        static = 9180
      }
    }

    service {
      name     = "fleet"
      provider = "nomad"
      port     = "http"

      check { # who is not ready is not handed out
        name     = "ready"
        type     = "http"
        port     = "probes"
        path     = "/readyz"
        interval = "5s"
        timeout  = "3s"
      }
      check { # brood works; whether the workers do, it sees itself
        name     = "alive"
        type     = "http"
        port     = "probes"
        path     = "/livez"
        interval = "10s"
        timeout  = "3s"

        check_restart {
          limit = 3
          grace = "10s"
        }
      }
    }

    shutdown_delay = "5s" # from the end of the registration to the signal

    task "brood" {
      driver = "docker"
      user   = "65534:65534"

      config {
        image      = "registry.example.com/example-brood:1"
        entrypoint = ["/brood"]
        args       = ["run", "-c", "/local/brood.toml"]
        ports      = ["http", "probes"]
        hostname   = "${node.unique.name}" # what others read of who has an id
        cap_drop   = ["all"]
      }

      kill_signal  = "SIGTERM"
      kill_timeout = "30s" # stop_timeout; more than max_kill_timeout of the client, 30 s by default, is cut down to that

      template {
        destination   = "local/brood.toml"
        change_mode   = "signal"
        change_signal = "SIGHUP" # brood reloads
        splay         = "30s"    # not all nodes in one moment

        # The file may have templates of brood's own: these are what Nomad takes for its.
        left_delimiter  = "[["
        right_delimiter = "]]"

        data = <<-EOT
          [supervisor]
          name = "fleet"
          http = ":9180"
          log_format = "json"
          stop_timeout = "30s"

          [supervisor.control]
          path = "/run/brood/fleet.sock"

          [coordination]
          group = "fleet"
          etcd = ["https://etcd1.example.com:2379", "https://etcd2.example.com:2379", "https://etcd3.example.com:2379"]
          prefix = "/brood/production"
          ca = "/secrets/ca.crt"
          cert = "/secrets/tls.crt"
          key = "/secrets/tls.key"
          lease = "20s"
          on_lost = "stop"

          [listen.http]
          address = ":8080"

          [pool.web]
          command = ["/worker"]
          workers = 4
          listen = ["http"]
          ready = "notify"
          worker_ids = "0-1023"
          worker_id_env = ["WORKER_ID"]
          stop.grace = "20s"
          recycle.max_memory = "96M"
          log.mode = "json"

          [pool.scheduler]
          command = ["/worker", "-listen", "127.0.0.1:8081"]
          workers = 1
          leader = true
          ready = "notify"
          stop.grace = "5s"
          recycle.max_memory = "96M"
          log.mode = "json"
        EOT
      }

      # Read again at each handshake, but for ca.crt, which takes another start of brood.
      template {
        destination = "secrets/tls.crt"
        data        = "{{ with nomadVar \"nomad/jobs/fleet\" }}{{ .cert }}{{ end }}"
        uid         = 65534
        gid         = 65534
        perms       = "0400"
        change_mode = "noop"
      }
      template {
        destination = "secrets/tls.key"
        data        = "{{ with nomadVar \"nomad/jobs/fleet\" }}{{ .key }}{{ end }}"
        uid         = 65534
        gid         = 65534
        perms       = "0400"
        change_mode = "noop"
      }
      template {
        destination = "secrets/ca.crt"
        data        = "{{ with nomadVar \"nomad/jobs/fleet\" }}{{ .ca }}{{ end }}"
        change_mode = "restart"
      }

      resources {
        cores  = 4
        memory = 736 # five workers, two schedulers and brood
      }
    }
  }
}
