// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// startTimeout bounds how long a component may take until it is healthy. A loaded laptop needs much of it.
	startTimeout = 90 * time.Second
	// stopTimeout bounds how long a component may take to stop when asked, before it is killed.
	stopTimeout = 20 * time.Second
	// healthInterval is how often a starting component is asked whether it is healthy.
	healthInterval = 50 * time.Millisecond
)

// process is one component: a binary, its arguments and its log. It can be started again after it has ended.
type process struct {
	name    string
	binary  string
	args    []string
	logFile string
	// healthy reports whether the component answers as it should.
	healthy func(context.Context) bool

	command *exec.Cmd
	exited  chan struct{}
	exitErr error
}

// start runs the component, where it does not run, and waits until it is healthy.
func (p *process) start(ctx context.Context) error {
	if p.runs() {
		return nil
	}
	if err := p.run(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(healthInterval)
	defer tick.Stop()
	for !p.healthy(ctx) {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it was healthy (%w); its log is %s", p.name, p.exitErr, p.logFile)
		case <-ctx.Done():
			p.kill()
			return fmt.Errorf("%s was not healthy in time (%w); its log is %s", p.name, ctx.Err(), p.logFile)
		case <-tick.C:
		}
	}
	return nil
}

func (p *process) runs() bool {
	if p.command == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) run() error {
	log, err := os.OpenFile(filepath.Clean(p.logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", p.name, err)
	}
	defer log.Close()                            //nolint:errcheck // the child has its own descriptor
	command := exec.Command(p.binary, p.args...) //nolint:gosec,noctx // G204: the user's own binaries; stopped in order, not by a context
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = childAttributes()
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	exited := make(chan struct{})
	p.command, p.exited = command, exited
	go func() {
		p.exitErr = command.Wait()
		if p.exitErr == nil {
			p.exitErr = errors.New("exit status 0")
		}
		close(exited)
	}()
	return nil
}

// stop asks the component to end, and kills it where it does not in time.
func (p *process) stop() {
	if p.command == nil {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails only where it has ended
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		p.kill()
	}
}

// kill ends the component without a chance to clean up.
func (p *process) kill() {
	_ = p.command.Process.Kill() // fails only where it has ended
	<-p.exited
}
