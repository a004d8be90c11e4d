// TLS in Go: the load, and a server as a peer.
//
//	peer serve CERTIFICATE KEY
//	peer load full|resumed|small|bulk PORT CERTIFICATE SECONDS
//
// full, resumed: connections one after another, 8 at a time, each shakes hands, has one byte sent back and is closed.
// small, bulk: 50 connections with 64 bytes, or 8 with 64 KB, under way on each. Prints how many there were in the time.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(certificate, key string) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	check(err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	check(err)
	fmt.Println("LISTENING", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		check(err)
		go func() {
			defer connection.Close()
			buffer := make([]byte, 16*1024)
			for {
				n, err := connection.Read(buffer)
				if err != nil {
					return
				}
				if _, err = connection.Write(buffer[:n]); err != nil {
					return
				}
			}
		}()
	}
}

func exchange(connection net.Conn, message, answer []byte) {
	_, err := connection.Write(message)
	check(err)
	_, err = io.ReadFull(connection, answer)
	check(err)
}

func load(what, port, certificate string, seconds int) {
	pem, err := os.ReadFile(certificate)
	check(err)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: trusted, ServerName: "localhost"}
	if what == "resumed" {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(64)
	}
	workers, size := 8, 1
	switch what {
	case "small":
		workers, size = 50, 64
	case "bulk":
		size = 64 * 1024
	}
	once := what == "full" || what == "resumed"
	var count, resumed int64
	var all sync.WaitGroup
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	start := time.Now()
	for i := 0; i < workers; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			message, answer := make([]byte, size), make([]byte, size)
			var connection *tls.Conn
			for time.Now().Before(end) {
				if connection == nil {
					connection, err = tls.Dial("tcp", "127.0.0.1:"+port, config)
					check(err)
				}
				exchange(connection, message, answer)
				if once {
					if connection.ConnectionState().DidResume {
						atomic.AddInt64(&resumed, 1)
					}
					connection.Close()
					connection = nil
				}
				atomic.AddInt64(&count, 1)
			}
			if connection != nil {
				connection.Close()
			}
		}()
	}
	all.Wait()
	fmt.Println(count, time.Since(start).Seconds(), resumed)
}

func main() {
	if os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3])
	} else {
		seconds, err := strconv.Atoi(os.Args[5])
		check(err)
		load(os.Args[2], os.Args[3], os.Args[4], seconds)
	}
}
