// What waiting for one another costs in Go, where it has the thing: the same operations as SyncBench, in nanoseconds each.
package main

import (
	"context"
	"fmt"
	"runtime"
	"sort"
	"sync"
	"time"
)

const passes = 7

func both(one, other func()) {
	var done sync.WaitGroup
	done.Add(2)
	go func() { defer done.Done(); one() }()
	go func() { defer done.Done(); other() }()
	done.Wait()
}

func channel(capacity int) func(int) {
	return func(n int) {
		c := make(chan int, capacity)
		both(func() {
			for i := 0; i < n; i++ {
				c <- 1
			}
		}, func() {
			for i := 0; i < n; i++ {
				<-c
			}
		})
	}
}

func event(n int) {
	for left := n; left > 0; left -= 1000 { // so many at a time as SyncBench
		someEvents(min(left, 1000))
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func someEvents(n int) {
	n -= n % 2
	events := make([]chan struct{}, n)
	for i := range events {
		events[i] = make(chan struct{})
	}
	both(func() {
		for i := 0; i < n; i += 2 {
			<-events[i]
			close(events[i+1])
		}
	}, func() {
		for i := 0; i < n; i += 2 {
			close(events[i])
			<-events[i+1]
		}
	})
}

func semaphore(n int) {
	permits := make(chan struct{}, 1)
	for i := 0; i < n; i++ {
		permits <- struct{}{}
		<-permits
	}
}

func poolMap(n int) {
	for round := 0; round < n/20; round++ {
		var done sync.WaitGroup
		permits := make(chan struct{}, 10)
		results := make([]int, 20)
		for i := 0; i < 20; i++ {
			permits <- struct{}{}
			done.Add(1)
			go func(i int) {
				results[i] = i + 1
				<-permits
				done.Done()
			}(i)
		}
		done.Wait()
	}
}

func timeout(n int) {
	for i := 0; i < n; i++ {
		_, cancel := context.WithTimeout(context.Background(), 100*time.Second)
		cancel()
	}
}

func measure(name string, work func(int)) {
	n, each := 1000, 1.0
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		start := time.Now()
		work(n)
		each = time.Since(start).Seconds() / float64(n)
		if each*float64(n) < 0.1 {
			n *= 2
		}
	}
	n = int(0.3/each) + 20
	n -= n % 20
	times := make([]float64, passes)
	for i := range times {
		start := time.Now()
		work(n)
		times[i] = time.Since(start).Seconds() / float64(n) * 1e9
	}
	sort.Float64s(times)
	fmt.Printf("%-52s %9.1f %9.1f %9.1f\n", name+", Go", times[passes/2], times[0], times[passes-1])
}

func main() {
	runtime.GOMAXPROCS(1)
	measure("queue hand-off", channel(1))
	measure("channel hand-off", channel(0))
	measure("semaphore, free", semaphore)
	measure("event wake-up", event)
	measure("pool map, an item of 20", poolMap)
	measure("timeout around a call", timeout)
}
