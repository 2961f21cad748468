"""How `KafkaBus` speaks to Apache Kafka. Nobody outside this package imports aiokafka.

It stands on aiokafka's single connection, its protocol and its record format only; not on its consumer, its producer
or its client. Those keep state of their own (positions, sequence numbers, batches to retry, one lock for all
connecting), and every trap we measured in aiokafka 0.14 lives in that state: records of healthy partitions lost when
another one raises, an idempotent producer out of step after a refused batch, sends and stops that never end, loops
without a pause. Here every fetch names the positions it was told, and every produce request is sent once: what cannot
happen needs no counter-measure.

`settings` how to reach the brokers · `connections` to each of them · `cluster` leaders, offsets · `batches` from
bytes to records · `reader` many logs from given positions · `ends` where a log ends and its last records · `writer`
appending.
"""
