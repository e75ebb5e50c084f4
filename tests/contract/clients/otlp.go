// One span, one metric and one log record by OpenTelemetry's own exporters, configured by the standard variables.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	apimetric "go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	fail := func(what string, err error) {
		if err != nil {
			fmt.Println(what, err)
			os.Exit(1)
		}
	}
	te, err := otlptracehttp.New(ctx)
	fail("trace exporter", err)
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(te))
	_, span := tp.Tracer("client").Start(ctx, "from the client")
	span.End()
	fail("traces", tp.Shutdown(ctx))
	me, err := otlpmetrichttp.New(ctx)
	fail("metric exporter", err)
	mp := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(me)))
	c, _ := mp.Meter("client").Int64Counter("client.sent", apimetric.WithUnit("{item}"))
	c.Add(ctx, 3)
	fail("metrics", mp.Shutdown(ctx))
	le, err := otlploghttp.New(ctx)
	fail("log exporter", err)
	lp := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(le)))
	var r log.Record
	r.SetBody(attribute.StringValue("from the client"))
	r.SetTimestamp(time.Now())
	lp.Logger("client").Emit(ctx, r)
	fail("logs", lp.Shutdown(ctx))
}
