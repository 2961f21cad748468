"""How `KafkaBus` speaks to Apache Kafka. Nobody outside this package imports aiokafka.

It stands on aiokafka's connections and protocol only, on neither its consumer nor its producer. Both keep state of
their own (positions, sequence numbers, batches to retry), and every trap we measured in aiokafka 0.14 lives in that
state: records of healthy partitions lost when another one raises, an idempotent producer out of step after a refused
batch, sends and stops that never end, loops without a pause. Here every fetch names the positions it was told, and
every produce request is sent once: what cannot happen needs no counter-measure.

`settings` how to reach the brokers · `cluster` connections, leaders, offsets · `batches` from bytes to records ·
`reader` many logs from given positions · `ends` where a log ends and its last records · `writer` appending.
"""
