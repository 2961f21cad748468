"""What is answered about suppliers: screening, and what others say beside a finding."""
