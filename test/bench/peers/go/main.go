// As a Go service does it: net/http in front of go-qemu. Takes the path of the monitor's socket, prints its port.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/digitalocean/go-qemu/qmp"
)

func main() {
	monitor, err := qmp.NewSocketMonitor("unix", os.Args[1], 2*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	if err := monitor.Connect(); err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /v1/vms/bench/qmp/{command}", func(w http.ResponseWriter, r *http.Request) {
		command := qmp.Command{Execute: r.PathValue("command")}
		if err := json.NewDecoder(r.Body).Decode(&command.Args); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		value, err := run(monitor, command)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(value)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}

func run(monitor *qmp.SocketMonitor, command qmp.Command) (json.RawMessage, error) {
	message, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	line, err := monitor.Run(message)
	if err != nil {
		return nil, err
	}
	var reply struct {
		Return json.RawMessage `json:"return"`
	}
	err = json.Unmarshal(line, &reply)
	return reply.Return, err
}
